"""The records of the registry. Every record has one id and one number (per organization and kind).

Statuses are in rules/lifecycle.py; which field each platform calls what is in its dialect.
"""

from typing import Any, Final

from msgspec import Struct, field

NUMBER_FIRST: Final = 1_000_000_001
"""The first number of a kind: above any number a platform has given out, so that ours and theirs never meet."""


class Organization(Struct, frozen=True, kw_only=True):
    """A company that runs programs. `slug` is unique in this installation; `timezone` is an IANA name."""

    id: str
    number: int
    slug: str
    name: str
    timezone: str = "UTC"
    unlimited_endpoints: bool = False
    created_at: int
    updated_at: int


class Program(Struct, frozen=True, kw_only=True):
    """What affiliates join. Amounts are minor units of `currency`; `commission_percent` 20 = 20 %; `payout_delay` days.

    Defaults follow Tamio's affiliate_program object (reference page, 2026).
    """

    id: str
    organization_id: str
    number: int
    name: str
    description: str | None = None
    currency: str = "USD"
    commission_percent: float | None = None
    commission_amount: int | None = None
    subscription_commission_type: str = "once"
    payment_count: int | None = None
    payout_delay: int = 0
    products: list[str] = field(default_factory=list)
    domain: str | None = None
    destinations: list[str] = field(default_factory=lambda: ["worldwide"])
    payments: list[str] = field(default_factory=list)
    signup_url: str | None = None
    is_public: bool = False
    is_listed: bool = False
    auto_approve: bool = False
    affiliate_notifications: bool = False
    banners: list[Any] | None = None
    external_ids: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    sequence: int = 0
    created_at: int
    updated_at: int
    deleted_at: int | None = None


class Affiliate(Struct, frozen=True, kw_only=True):
    """A person or company that refers customers. `email` keeps its case and is unique per organization without it.

    `standing`: whether Insert Affiliate would count them as added to the company (contracts A1, "standing").
    `sequence` numbers the affiliate's events; `touched_at` is the time of the last one.
    """

    id: str
    organization_id: str
    number: int
    email: str | None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    country: str | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    telephone: str | None = None
    vat: str | None = None
    language: str | None = None
    timezone: str | None = None
    unconfirmed_email: str | None = None
    paypal_email: str | None = None
    paypal_email_confirmed_at: int | None = None
    wise_email: str | None = None
    wise_email_confirmed_at: int | None = None
    stripe_customer_id: str | None = None
    stripe_account_id: str | None = None
    payments: list[str] | None = None
    receive_new_commission_notifications: bool = True
    sign_in_count: int = 0
    status: str = "active"
    confirmed_at: int | None = None
    onboarding_completed: bool = False
    standing: bool = False
    external_ids: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    sequence: int = 0
    touched_at: int = 0
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    erased_at: int | None = None

    @property
    def name(self) -> str | None:
        """First and last name as one text; None if there is neither."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or None


class Membership(Struct, frozen=True, kw_only=True):
    """An affiliate in a program. Each change of status moves `updated_at` into a later whole second (contracts A1)."""

    id: str
    organization_id: str
    number: int
    affiliate_id: str
    program_id: str
    status: str
    tag: str | None = None
    source: str | None = None
    group_id: str | None = None
    deep_link: str | None = None
    external_ids: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    created_at: int
    updated_at: int


class Group(Struct, frozen=True, kw_only=True):
    """A set of memberships that are treated alike."""

    id: str
    organization_id: str
    number: int
    name: str
    created_at: int
    updated_at: int


class Link(Struct, frozen=True, kw_only=True):
    """A tracked URL of a membership."""

    id: str
    organization_id: str
    number: int
    membership_id: str
    affiliate_id: str
    url: str
    token: str
    created_at: int
    updated_at: int


class PromoCode(Struct, frozen=True, kw_only=True):
    """A discount code of a membership. `discount_value` is a decimal text ("10.00")."""

    id: str
    organization_id: str
    number: int
    membership_id: str
    affiliate_id: str
    code: str
    coupon_id: str | None = None
    discount_type: str | None = None
    duration: str | None = None
    discount_value: str | None = None
    created_at: int
    updated_at: int
