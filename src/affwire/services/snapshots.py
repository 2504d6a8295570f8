"""Snapshots: the world around an affiliate or a program, as every dialect needs it to speak."""

from collections.abc import Mapping

from affwire.model.events import MembershipView, Snapshot
from affwire.model.registry import Affiliate, Group, Link, Membership, Organization, Program, PromoCode
from affwire.store.tx import Tx


def of_program(tx: Tx, organization: Organization, program: Program) -> Snapshot:
    """Return a program with its counts."""
    return Snapshot(
        organization=organization,
        program=program,
        program_affiliates=tx.registry.live_members(organization.id, program.id),
    )


def of_affiliate(
    tx: Tx, organization: Organization, affiliate: Affiliate, status_before: Mapping[str, str | None]
) -> Snapshot:
    """Return an affiliate with all memberships and links. `status_before`: of the memberships this request touched."""
    memberships = tx.registry.find(Membership, organization.id, affiliate_id=affiliate.id)
    programs = tx.registry.programs(sorted({membership.program_id for membership in memberships}))
    codes = tx.registry.find(PromoCode, organization.id, affiliate_id=affiliate.id) if memberships else []
    links = tx.registry.find(Link, organization.id, affiliate_id=affiliate.id) if memberships else []
    views = tuple(
        MembershipView(
            membership=membership,
            program=programs[membership.program_id],
            group=_group(tx, membership),
            promo_codes=tuple(code for code in codes if code.membership_id == membership.id),
            status_before=status_before.get(membership.id, membership.status),
        )
        for membership in memberships
    )
    return Snapshot(organization=organization, affiliate=affiliate, memberships=views, links=tuple(links))


def _group(tx: Tx, membership: Membership) -> Group | None:
    return tx.registry.get(Group, membership.organization_id, membership.group_id) if membership.group_id else None
