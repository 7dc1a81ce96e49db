"""Requests for support: may this be served, and until when; what happens to it is told by the help desk."""

from __future__ import annotations

from collections.abc import Mapping

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import Answered, Listing
from tillkey_server.api.administration.support_shapes import (
    AddClosure,
    AskSupport,
    ClosureAdded,
    ClosurePage,
    GrantAccess,
    OpenSupport,
    SupportAnswered,
    SupportListing,
    SupportPage,
    TakeSupport,
    TellEvent,
    TellHotfix,
    WholeSupportRequest,
    WithdrawClosure,
)
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.defect import Severity
from tillkey_server.rules.install_credit import InstallCode
from tillkey_server.rules.support_code import SupportCode
from tillkey_server.rules.support_policy import Ground
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.usecases import closure, support, support_events
from tillkey_server.usecases.answers import RefusalAnswer, answered_of
from tillkey_server.usecases.paging import Page
from tillkey_server.usecases.support_details import ToldEvent
from tillkey_server.usecases.support_facts import SupportQuestion

endpoints = Endpoints("support")
closures = Endpoints("support")
_NOT_TAKEN = (
    "not_found",
    Refusal.LEGAL_HOLD,
    Refusal.LICENSE_TERMINATED,
    Refusal.LICENSE_REVOKED,
    Refusal.LICENSE_SUSPENDED,
    SupportCode.TICKET_PROJECT_REQUIRED,
    SupportCode.SUPPORT_OTHER_PROJECT,
    SupportCode.SUPPORT_OTHER_USER,
    SupportCode.SUPPORT_LOST_ON_TRANSFER,
    SupportCode.SUPPORT_TASK_NOT_COVERED,
    InstallCode.INSTALL_CREDIT_NONE,
    SupportCode.SUPPORT_REPEAT_SELF_INFLICTED,
    *(SupportCode(ground.value) for ground in Ground),
)
_NOT_RECORDED = (
    "not_found",
    SupportCode.EVENT_OUT_OF_PLACE,
    SupportCode.REFUSAL_NOT_PERMITTED,
    UpdateCode.OFFER_NOT_PERMITTED,
    UpdateCode.RESOLUTION_UPDATE_TOO_NEW,
    UpdateCode.UPDATE_WITHDRAWN,
    SupportCode.INTERVENTION_NOTE_REQUIRED,
    SupportCode.REMOTE_ACCESS_NOT_AUTHORIZED,
    SupportCode.CUSTOMER_STILL_HAS_TIME,
    InstallCode.INSTALL_CREDIT_NONE,
)
_OF_THE_CALL = {"kind", "at", "language"}


@endpoints.post(
    "/v1/support-requests/preview",
    Permission.SUPPORT_READ,
    body=AskSupport,
    answer=Answered,
    command="support preview",
    refusals=("not_found",),
)
async def preview_support(call: Call) -> Returned:
    """Tell whether a request would be served, by which clauses, and until when; nothing is written."""
    asked = call.asked(AskSupport)
    decision = await support.preview_support(call.services, _question(asked), scope=call.scope)
    return answered_of(decision, asked.language)


@endpoints.post(
    "/v1/support-requests",
    Permission.SUPPORT_WRITE,
    body=OpenSupport,
    answer=SupportAnswered,
    command="support open",
    statuses=(201,),
    refusals=_NOT_TAKEN,
)
async def open_support_request(call: Call) -> Returned:
    """Put a request on record, if the terms take it; what its description lacks is waited for."""
    return await _opened(call, call.asked(OpenSupport))


@endpoints.post(
    "/v1/support-requests/reviewed",
    Permission.SUPPORT_OVERRIDE,
    body=TakeSupport,
    answer=SupportAnswered,
    command="support open",
    statuses=(201,),
    refusals=_NOT_TAKEN,
)
async def take_support_request(call: Call) -> Returned:
    """Put a request on record after a review, although a ground would refuse it; the reason is in the audit log."""
    asked = call.asked(TakeSupport)
    return await _opened(call, asked, review=asked.reason)


async def _opened(call: Call, asked: OpenSupport, *, review: str | None = None) -> Returned:
    taken = await support.open_support_request(
        call.services,
        _question(asked),
        actor=call.actor,
        reference=asked.reference,
        duplicate_of=asked.duplicate_of,
        review=review,
        scope=call.scope,
    )
    return _answered(taken, asked.language)


@endpoints.get(
    "/v1/support-requests",
    Permission.SUPPORT_READ,
    query=SupportListing,
    answer=SupportPage,
    command="support list",
)
async def list_support_requests(call: Call) -> Page:
    """List requests as they stand now; sort by `received_at`."""
    asked = call.asked(SupportListing)
    return await support.list_support_requests(
        call.services,
        license_id=asked.license,
        customer_id=asked.customer,
        reference=asked.reference,
        refund_proposed=asked.refund_proposed,
        after=asked.after,
        limit=asked.limit,
        sort=asked.sort,
        scope=call.scope,
    )


@endpoints.get(
    "/v1/support-requests/{request_id}",
    Permission.SUPPORT_READ,
    answer=WholeSupportRequest,
    command="support show",
    refusals=("not_found",),
)
async def get_support_request(call: Call) -> Mapping[str, object]:
    """Tell how a request stands, with its clocks and everything that happened to it."""
    return await support.get_support_request(call.services, call.id("request_id", "support request"), scope=call.scope)


@endpoints.post(
    "/v1/support-requests/{request_id}/events",
    Permission.SUPPORT_WRITE,
    body=TellEvent,
    answer=SupportAnswered,
    command="support event",
    statuses=(201,),
    refusals=_NOT_RECORDED,
)
async def record_support_event(call: Call) -> Returned:
    """Record what happened to a request: a reply, a refusal, a finding, an offer, its end."""
    asked = call.asked(TellEvent)
    details = {
        name: value
        for name in sorted(asked.model_fields_set - _OF_THE_CALL)
        if (value := getattr(asked, name)) is not None
    }
    told = ToldEvent(asked.kind, asked.at, details)
    request_id = call.id("request_id", "support request")
    taken = await support_events.record_support_event(
        call.services, request_id, told, actor=call.actor, scope=call.scope
    )
    return _answered(taken, asked.language)


@endpoints.post(
    "/v1/support-requests/{request_id}/grants",
    Permission.SUPPORT_WRITE,
    body=GrantAccess,
    answer=SupportAnswered,
    command="support grant",
    statuses=(201,),
    refusals=("not_found", SupportCode.REMOTE_ACCESS_NOT_JUSTIFIED, SupportCode.REMOTE_ACCESS_NOT_AUTHORIZED),
)
async def grant_remote_access(call: Call) -> Returned:
    """Record the owner's consent to remote access; passwords and keys are never stored."""
    asked = call.asked(GrantAccess)
    taken = await support_events.grant_remote_access(
        call.services,
        call.id("request_id", "support request"),
        granted_by=asked.granted_by,
        allowed=asked.scope,
        starts_at=asked.starts_at,
        until=asked.until,
        actor=call.actor,
        scope=call.scope,
    )
    return _answered(taken, asked.language)


@endpoints.post(
    "/v1/support-requests/{request_id}/hotfixes",
    Permission.SUPPORT_WRITE,
    body=TellHotfix,
    answer=SupportAnswered,
    command="support hotfix",
    statuses=(201,),
    refusals=("not_found", SupportCode.HOTFIX_UNJUSTIFIED),
)
async def record_hotfix(call: Call) -> Returned:
    """Record files that were changed at once, so that they are no modification of the customer's later."""
    asked = call.asked(TellHotfix)
    taken = await support_events.record_hotfix(
        call.services,
        call.id("request_id", "support request"),
        severity=Severity(asked.severity),
        files=asked.files,
        activation_id=asked.activation_id,
        actor=call.actor,
        scope=call.scope,
    )
    return _answered(taken, asked.language)


@closures.post(
    "/v1/vendor-closures",
    Permission.CLOSURE_WRITE,
    body=AddClosure,
    answer=ClosureAdded,
    command="closure add",
    statuses=(201,),
    refusals=("not_found", SupportCode.CLOSURE_NOTICE_LATE),
)
async def add_closure(call: Call) -> Returned:
    """Record a time in which the vendor is closed, with the notice that its customers had."""
    asked = call.asked(AddClosure)
    added = await closure.add_closure(
        call.services,
        policy=asked.policy,
        notified_at=asked.notified_at,
        starts_at=asked.starts_at,
        ends_at=asked.ends_at,
        reason=asked.reason,
        actor=call.actor,
    )
    if isinstance(added, RefusalAnswer):
        return added
    return {**answered_of(added.decision, asked.language), "closure": added.shown}


@closures.post(
    "/v1/vendor-closures/{closure_id}/withdraw",
    Permission.CLOSURE_WRITE,
    body=WithdrawClosure,
    answer=ClosureAdded,
    command="closure withdraw",
    refusals=("not_found", SupportCode.CLOSURE_OVER),
)
async def withdraw_closure(call: Call) -> Returned:
    """Take a closure back: it pauses nothing from now on, and what it paused before is not undone."""
    asked = call.asked(WithdrawClosure)
    closure_id = call.id("closure_id", "closure")
    done = await closure.withdraw_closure(
        call.services, closure_id, policy=asked.policy, reason=asked.reason, actor=call.actor
    )
    if isinstance(done, RefusalAnswer):
        return done
    return {**answered_of(done.decision, asked.language), "closure": done.shown}


@closures.get(
    "/v1/vendor-closures",
    Permission.SUPPORT_READ,
    query=Listing,
    answer=ClosurePage,
    command="closure list",
)
async def list_closures(call: Call) -> Page:
    """List the vendor's closures; sort by `starts_at`."""
    asked = call.asked(Listing)
    return await closure.list_closures(call.services, after=asked.after, limit=asked.limit, sort=asked.sort)


def _question(asked: AskSupport) -> SupportQuestion:
    return SupportQuestion(
        task=asked.task,
        license_id=asked.license_id,
        product=asked.product,
        customer_id=asked.customer_id,
        project_id=asked.project_id,
        asked_by=asked.asked_by,
        presale=asked.presale,
        site=asked.site,
        installation=asked.installation,
        platform_version=asked.platform_version,
        feature=asked.feature,
        causes=tuple(asked.causes),
        found=asked.found,
        files=asked.files,
        manifest=asked.manifest,
        described=tuple(asked.described),
        matter=asked.matter,
        received_at=asked.received_at,
    )


def _answered(taken: support.TakenRequest | RefusalAnswer, language: str) -> Returned:
    if isinstance(taken, RefusalAnswer):
        return taken
    return {**answered_of(taken.decision, language), "request": taken.shown}
