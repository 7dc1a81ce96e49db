"""Every answer about warranty, claims and quotes."""

from __future__ import annotations

from tillkey_server.rules.decision import Code


class WarrantyCode(Code):
    """The family of codes about warranty; `docs/codes.md` explains each."""

    WARRANTY_ACTIVE = "warranty_active"
    WARRANTY_EXPIRED = "warranty_expired"
    WARRANTY_CONTRACT_UNKNOWN = "warranty_contract_unknown"
    WARRANTY_NOT_OFFERED = "warranty_not_offered"
    WARRANTY_EXCLUDED_MISUSE = "warranty_excluded_misuse"
    WARRANTY_EXCLUDED_SOFTWARE = "warranty_excluded_software"
    WARRANTY_EXCLUDED_ABNORMAL = "warranty_excluded_abnormal"
    WARRANTY_EXCLUDED_FORCE_MAJEURE = "warranty_excluded_force_majeure"
    WARRANTY_EXCLUDED_UNAUTHORIZED_SERVICE = "warranty_excluded_unauthorized_service"
    WARRANTY_VOID_UNOFFICIAL_CHANNEL = "warranty_void_unofficial_channel"
    CONTRACT_RECORDED = "contract_recorded"
    CLAIM_OPENED = "claim_opened"
    CLAIM_NEEDS_INFO = "claim_needs_info"
    CLAIM_ROUTED_TO_PARTNER = "claim_routed_to_partner"
    CLAIM_SERIAL_DIFFERS = "claim_serial_differs"
    FINDING_RECORDED = "finding_recorded"
    FINDING_NEEDED = "finding_needed"
    SERVICE_FREE = "service_free"
    SERVICE_CHARGEABLE = "service_chargeable"
    SERVICE_UNDECIDED = "service_undecided"
    SERVICE_DECISION_DIFFERS = "service_decision_differs"
    SERVICE_DECISION_FINAL = "service_decision_final"
    SERVICE_NEEDS_NEW_EVIDENCE = "service_needs_new_evidence"
    QUOTE_SENT = "quote_sent"
    QUOTE_NOT_NEEDED = "quote_not_needed"
    QUOTE_ACCEPTED = "quote_accepted"
    QUOTE_ALREADY_ACCEPTED = "quote_already_accepted"
    QUOTE_TOKEN_INVALID = "quote_token_invalid"  # noqa: S105 - a code's name, no secret
    QUOTE_CONTACT_NOT_AUTHORIZED = "quote_contact_not_authorized"
    QUOTE_SUPERSEDED = "quote_superseded"
    QUOTE_EXPIRED = "quote_expired"
    QUOTE_APPROVAL_REQUIRED = "quote_approval_required"
    WORK_STARTED = "work_started"
    RMA_ISSUED = "rma_issued"
    RMA_NOT_NEEDED = "rma_not_needed"
    RMA_REQUIRED = "rma_required"
    RMA_EXPIRED = "rma_expired"
    RMA_WRONG_DEVICE = "rma_wrong_device"
    DEVICE_REPLACED = "device_replaced"
