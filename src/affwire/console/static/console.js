// The console's one script: live rows, the keyboard, copying. Every page works without it.

const table = document.querySelector("[data-listing]");
const body = table?.tBodies[0];
const bulk = document.getElementById("bulk");
const help = document.getElementById("help");

for (const one of document.querySelectorAll("[data-help], [data-all]")) one.hidden = false;

// Chosen rows: how many, and all of the page at once.

const boxes = () => [...document.querySelectorAll("td.pick input")];

function count() {
  const chosen = boxes().filter((box) => box.checked).length;
  const told = document.querySelector("[data-chosen]");
  if (told) told.textContent = chosen ? `${chosen} chosen` : "";
  for (const button of document.querySelectorAll("[data-bulk]")) button.disabled = chosen === 0;
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.closest("td.pick, th.pick")) count();
  const form = event.target.closest("form[data-submit-on-change]");
  if (form && event.target.matches("select")) form.requestSubmit();
});
window.addEventListener("pageshow", count);

// A form leaves out what it does not narrow, and the columns that are shown anyway: the URL says what was chosen.

for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  const columns = [...form.querySelectorAll("input[name=columns]")];
  const usual = columns.every((box) => box.checked === box.defaultChecked) && !new URLSearchParams(location.search).has("columns");
  const changed = () => columns.some((box) => box.checked !== box.defaultChecked);
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
    if (usual && !changed()) event.formData.delete("columns");
  });
}

// Copying.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

// Menus close when something else is clicked.

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const row = event.target.closest("tr[data-href]");
  if (row && !event.target.closest("a, input, button, label") && !getSelection().toString()) location.assign(row.dataset.href);
});

// A time's full form, which the page has as its datetime, is shown where the pointer rests.

document.addEventListener("pointerover", (event) => {
  const time = event.target.closest?.("time");
  if (time) time.title = time.dateTime;
});

// Live rows: one that is here is renewed where it stands; a new one slides in only where its coming moves nothing.

const dot = document.querySelector("[data-live]");
const arrivals = document.querySelector("[data-arrivals]");
let waiting = 0;

function rowOf(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html.trim();
  return holder.content.querySelector("tr");
}

function take({ id, html }) {
  const row = rowOf(html);
  if ("plain" in table.dataset) row.querySelector("td.pick")?.remove();
  document.querySelector("[data-waiting]")?.replaceChildren("The first message is here");
  const former = body.querySelector(`tr[data-row="${CSS.escape(id)}"]`);
  if (former) {
    const [was, is] = [former, row].map((one) => one.querySelector("td.pick input"));
    if (was && is) is.checked = was.checked;
    if (former.classList.contains("at")) row.classList.add("at");
    former.replaceWith(row);
    row.classList.add("renewed");
  } else if (window.scrollY < 200) {
    row.classList.add("arrived");
    body.prepend(row);
    while (body.rows.length > Number(table.dataset.most)) body.lastElementChild.remove();
  } else {
    waiting += 1;
    arrivals.textContent = `${waiting} new`;
    arrivals.hidden = false;
  }
}

function say(state) {
  dot.hidden = false;
  dot.dataset.state = state;
  dot.querySelector("[data-live-text]").textContent = state;
}

if (table?.dataset.liveUrl) {
  const source = new EventSource(table.dataset.liveUrl);
  source.onopen = () => say("live");
  source.onerror = () => say(source.readyState === EventSource.CLOSED ? "stopped" : "waiting");
  source.onmessage = (event) => take(JSON.parse(event.data));
  arrivals.addEventListener("click", () => location.reload());
  window.addEventListener("pagehide", () => source.close());
}

// Parts of a page that go on by themselves are renewed each second until the server says that they have ended.

async function renew() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-fresh]")) {
    const next = page.getElementById(part.id);
    if (next && !part.contains(document.activeElement)) part.replaceWith(next);
  }
  follow();
}

function follow() {
  if (document.querySelector("[data-fresh]")) setTimeout(() => renew().catch(follow), 1000);
}
follow();

// The keyboard.

const rows = () => (body ? [...body.rows] : []);
const at = () => rows().findIndex((row) => row.classList.contains("at"));

function move(step) {
  const all = rows();
  if (!all.length) return;
  const next = Math.min(Math.max(at() + step, 0), all.length - 1);
  for (const row of all) row.classList.toggle("at", row === all[next]);
  all[next].scrollIntoView({ block: "nearest" });
}

const keys = {
  "/": () => document.getElementById("q")?.focus(),
  "?": () => help?.showModal(),
  j: () => move(1),
  k: () => move(-1),
  Enter: () => at() >= 0 && location.assign(rows()[at()].dataset.href),
  x: () => at() >= 0 && rows()[at()].querySelector("td.pick input")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur?.();
    return;
  }
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  const button = bulk?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const act = button && !button.disabled ? () => button.click() : keys[event.key];
  if (!act || help?.open) return;
  event.preventDefault();
  act();
});

document.querySelector("[data-help]")?.addEventListener("click", () => help.showModal());
count();
