"""An organization with a public program, and people who apply to it."""

from affwire.model.registry import Affiliate, Membership
from affwire.services import application_form, applications, mail, passes, programs

URL = "https://partners.example.com"


class Applicants:
    def __init__(self, house, **fields):
        self.house = house
        self.program = house.act(programs.create, {"name": "Spring", "is_public": True, **fields})

    def another(self, **fields):
        return Applicants(self.house, **fields)

    def apply(self, email="ada@example.com", *, origin="203.0.113.7", program=None, **values):
        form = application_form.read({"email": email, "first_name": "Ada", **values})
        program_id = self.program.id if program is None else program
        self.house.clock.advance(1)
        return self.house.run(lambda tx: applications.apply(tx, self.house.dialects, program_id, form, origin=origin))

    @property
    def owner(self):
        return self.house.organization.id

    def affiliates(self):
        return self.house.run(lambda tx: tx.registry.find(Affiliate, self.owner))

    @property
    def affiliate(self):
        [one] = self.affiliates()
        return one

    @property
    def membership(self):
        [one] = self.house.run(lambda tx: tx.registry.find(Membership, self.owner, program_id=self.program.id))
        return one

    def mails(self):
        """Mails, the oldest first."""
        return self.house.run(lambda tx: tx.mails.page(self.owner, before=None, limit=100))[::-1]

    def kinds(self):
        return [one.kind for one in self.mails()]

    def link(self, number=-1):
        """The path of the link that a mail is about, after its purpose."""
        one = self.mails()[number]
        shown = self.house.run(lambda tx: mail.in_full(tx, self.owner, one.id, URL))
        return shown.link.rpartition("/")[2]

    def view(self, purpose, text):
        return self.house.run(lambda tx: passes.view(tx, purpose, text))

    def use(self, purpose, text):
        return self.house.run(lambda tx: passes.use(tx, self.house.dialects, purpose, text))
