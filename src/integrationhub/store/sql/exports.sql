-- name: debts
-- One row a debt: its source balance, and the sum over all its ledger entries.
SELECT
    d.debt_id,
    d.scheme,
    d.host_system,
    d.source_system,
    d.source_ref,
    d.application_ref,
    d.payee_role,
    d.legal_owner,
    d.kind,
    d.cause,
    d.status,
    d.group_id,
    b.pence AS source_pence,
    coalesce(l.pence, 0) AS recomputed_pence,
    d.as_at
FROM debts AS d
LEFT JOIN balances AS b ON b.debt_id = d.debt_id AND b.kind = 'SOURCE'
LEFT JOIN (
    SELECT debt_id, CAST(sum(pence) AS BIGINT) AS pence FROM ledger WHERE debt_id IS NOT NULL GROUP BY debt_id
) AS l ON l.debt_id = d.debt_id
ORDER BY d.scheme, d.source_ref, d.legal_owner, d.debt_id

-- name: arrears
-- One row a child-support case that has not been withdrawn: the figures of its source by owner.
SELECT
    CASE WHEN c.host_system = 'CLERICAL' THEN 'CL:' WHEN c.scheme = '1993' THEN '93:' ELSE '03:' END
    || c.source_ref AS case_key,
    c.group_id,
    CAST(sum(CASE WHEN d.legal_owner = 'RECEIVING_PARENT' THEN b.pence ELSE 0 END) AS BIGINT) AS rp,
    CAST(sum(CASE WHEN d.legal_owner = 'SECRETARY_OF_STATE' THEN b.pence ELSE 0 END) AS BIGINT) AS sos,
    CAST(sum(CASE WHEN d.legal_owner = 'UNKNOWN' THEN b.pence ELSE 0 END) AS BIGINT) AS unk,
    CAST(sum(CASE WHEN d.legal_owner = 'RECEIVING_PARENT' THEN b.suspended_pence ELSE 0 END) AS BIGINT) AS susp_rp,
    CAST(sum(CASE WHEN d.legal_owner = 'SECRETARY_OF_STATE' THEN b.suspended_pence ELSE 0 END) AS BIGINT) AS susp_sos,
    c.source_custodian_pence AS custodian
FROM cases AS c
LEFT JOIN debts AS d ON d.case_id = c.case_id
LEFT JOIN balances AS b ON b.debt_id = d.debt_id AND b.kind = 'SOURCE'
WHERE c.scheme IN ('1993', '2003') AND c.state <> 'WITHDRAWN'
GROUP BY c.case_id, c.host_system, c.scheme, c.source_ref, c.group_id, c.source_custodian_pence
ORDER BY case_key, c.case_id
