// The console's one script: live rows, the keyboard, copying. Every page works without it.

const table = document.querySelector("[data-listing]");
const body = table?.tBodies[0];
const bulk = document.getElementById("bulk");
const help = document.getElementById("help");

for (const one of document.querySelectorAll("[data-help], [data-all-of]")) one.hidden = false;

// Chosen rows: how many, and all of the page at once.

const boxes = () => [...document.querySelectorAll("td.pick input")];

function count() {
  const chosen = boxes().filter((box) => box.checked).length;
  const told = document.querySelector("[data-chosen]");
  if (told) told.textContent = chosen ? `${chosen} chosen` : "";
  for (const button of document.querySelectorAll("[data-bulk]")) button.disabled = chosen === 0 && !document.querySelector("[data-every]")?.checked;
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.closest("td.pick, th.pick") || event.target.matches("[data-every]")) count();
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
  const row = event.target.closest("tr[data-row]");
  if (row && !event.target.closest("a, input, button, label") && !getSelection().toString()) location.assign(hrefOf(row));
});

// The whole of what a list says in short, which the page has already, is shown where the pointer rests.

document.addEventListener("pointerover", (event) => {
  const time = event.target.closest?.("time");
  if (time && !time.title) time.title = time.dateTime.replace("T", " ");
  const cell = event.target.closest?.(".table td");
  if (cell && !cell.title && cell.scrollWidth > cell.clientWidth && !cell.querySelector("[title]")) cell.title = cell.textContent.trim();
  const own = event.target.closest?.("code.id:not([title])");
  if (own) own.title = own.closest("[data-row]")?.dataset.row ?? "";
});

// Live rows: one that is here is renewed where it stands; a new one slides in only where its coming moves nothing. What
// somebody holds stays: the text that is selected, the control that has the focus, the boxes that are ticked.

const dot = document.querySelector("[data-live]");
const arrivals = document.querySelector("[data-arrivals]");
const kept = new Map();
const waiting = new Map();

function rowOf(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html.trim();
  const row = holder.content.querySelector("tr");
  if ("plain" in table.dataset) row.querySelector("td.pick")?.remove();
  return row;
}

const rowAt = (id) => body.querySelector(`tr[data-row="${CSS.escape(id)}"]`);
const controls = (row) => [...row.querySelectorAll("a, input, button, summary")];
const selected = (row) => !getSelection().isCollapsed && getSelection().containsNode(row, true);

function renewRow(former, html) {
  const row = rowOf(html);
  const [was, is] = [former, row].map((one) => one.querySelector("td.pick input"));
  if (was && is) is.checked = was.checked;
  row.classList.toggle("at", former.classList.contains("at"));
  const place = controls(former).indexOf(document.activeElement);
  former.replaceWith(row);
  if (place >= 0) controls(row)[place]?.focus({ preventScroll: true });
  row.classList.add("renewed");
}

function slideIn(html) {
  const row = rowOf(html);
  row.classList.add("arrived");
  body.prepend(row);
  for (const last of [...body.rows].slice(Number(table.dataset.most))) {
    if (!last.contains(document.activeElement) && !selected(last) && !last.querySelector("td.pick input:checked")) last.remove();
  }
}

function take({ id, html }) {
  document.querySelector("[data-waiting]")?.replaceChildren("The first message is here");
  const former = rowAt(id);
  if (former) selected(former) ? kept.set(id, html) : renewRow(former, html);
  else if (window.scrollY < 200) slideIn(html);
  else announce(id, html);
  count();
}

function announce(id, html) {
  waiting.set(id, html);
  arrivals.textContent = `${waiting.size} new`;
  arrivals.hidden = false;
}

function letIn() {
  for (const html of waiting.values()) slideIn(html);
  waiting.clear();
  arrivals.hidden = true;
}

document.addEventListener("selectionchange", () => {
  for (const [id, html] of kept) {
    const former = rowAt(id);
    if (former && selected(former)) continue;
    kept.delete(id);
    if (former) renewRow(former, html);
  }
});

// The feed: it goes on where it was, however often it is lost. Its dot says how it is, and pauses it.

let source, last, patience = 1000;

function say(state) {
  dot.hidden = false;
  dot.dataset.state = state;
  dot.title = { live: "Rows move by themselves. Pause", paused: "Paused. Go on", lost: "The server is not reached; trying again" }[state];
  dot.querySelector("[data-live-text]").textContent = state;
}

function connect() {
  const url = new URL(table.dataset.liveUrl, location.href);
  if (last) url.searchParams.set("last_event_id", last);
  source = new EventSource(url);
  source.onopen = () => (say("live"), (patience = 1000));
  source.onmessage = (event) => ((last = event.lastEventId), take(JSON.parse(event.data)));
  source.onerror = () => {
    say("lost");
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    setTimeout(() => dot.dataset.state === "lost" && connect(), patience);
    patience = Math.min(patience * 2, 30_000);
  };
}

function disconnect(state) {
  source?.close();
  say(state);
}

if (table?.dataset.liveUrl) {
  connect();
  dot.addEventListener("click", () => (dot.dataset.state === "live" ? disconnect("paused") : (source.close(), connect())));
  arrivals.addEventListener("click", () => (window.scrollTo(0, 0), letIn()));
  window.addEventListener("scroll", () => window.scrollY < 200 && waiting.size && letIn(), { passive: true });
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => event.persisted && dot.dataset.state !== "paused" && connect());
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

// An empty list: what comes first brings the list.

const first = document.querySelector("[data-first]");
if (first) {
  const source = new EventSource(first.dataset.first);
  source.onopen = () => say("live");
  source.onmessage = () => location.reload();
  window.addEventListener("pagehide", () => source.close());
}

// The keyboard. A row that is moved to has the focus on its first link: screen readers say it, and Enter is the browser's.

const rows = () => [...document.querySelectorAll("[data-listing] tbody tr, ul.hits li")];
const at = () => rows().findIndex((row) => row.classList.contains("at"));
const hrefOf = (row) => row?.dataset.href ?? row?.querySelector("a[href]")?.getAttribute("href");

function move(step) {
  const all = rows();
  if (!all.length) return;
  const next = all[Math.min(Math.max(at() + step, 0), all.length - 1)];
  for (const row of all) row.classList.toggle("at", row === next);
  next.querySelector("a[href]")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function leave() {
  for (const row of rows()) row.classList.remove("at");
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  document.activeElement?.blur();
}

// What can be done: to the row that is moved to, which that chooses; else to the list; else on the page. A file comes last.

function actions() {
  const box = rows()[at()]?.querySelector("td.pick input");
  if (box && !boxes().some((one) => one.checked)) box.click();
  const places = [".table-top :is(a, button)", "main .actions > :not(.export), main .actions > :not(.export) :is(a, button)", "main .actions summary"];
  const able = (one) => one.matches("a, button, summary") && !one.disabled && one.checkVisibility();
  const first = places.flatMap((where) => [...document.querySelectorAll(where)]).find(able);
  first?.focus();
  if (first?.matches("summary")) first.parentElement.open = true;
}

const keys = {
  "/": () => document.getElementById("q")?.focus(),
  "?": () => help?.showModal(),
  ".": actions,
  j: () => move(1),
  k: () => move(-1),
  Enter: () => at() >= 0 && location.assign(hrefOf(rows()[at()])),
  x: () => at() >= 0 && rows()[at()].querySelector("td.pick input")?.click(),
  Escape: leave,
};

const typing = (where) => where.isContentEditable || where.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help?.open) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && event.target.closest("a, button, summary, input")) return;
  const button = event.key.length === 1 && document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
  const act = button && !button.disabled ? () => button.click() : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.querySelector("[data-help]")?.addEventListener("click", () => help.showModal());
count();
