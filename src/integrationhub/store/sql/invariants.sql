-- name: receipts-allocated-or-in-suspense
-- A receipt's allocations are positive and no more than its amount; one posted to a case is allocated whole.
SELECT r.receipt_id AS identifier
FROM receipts AS r
LEFT JOIN (
    SELECT receipt_id, sum(pence) AS pence, min(pence) AS least FROM allocations GROUP BY receipt_id
) AS a ON a.receipt_id = r.receipt_id
WHERE
    r.pence <= 0
    OR a.least <= 0
    OR a.pence > r.pence
    OR (r.case_id IS NOT NULL AND coalesce(a.pence, 0) <> r.pence)

-- name: one-debt-per-case-and-owner
-- A case has at most one debt of one legal owner, so each debt has one payee and one owner.
SELECT min(replace(CAST(debt_id AS VARCHAR(36)), '-', '')) AS identifier
FROM debts
GROUP BY case_id, legal_owner
HAVING count(*) > 1

-- name: one-source-balance-per-debt
-- A debt that is not removed has one balance stated by its source, a removed one has none.
SELECT d.debt_id AS identifier
FROM debts AS d
LEFT JOIN balances AS b ON b.debt_id = d.debt_id AND b.kind = 'SOURCE'
GROUP BY d.debt_id, d.status
HAVING count(b.balance_id) <> CASE WHEN d.status = 'REMOVED' THEN 0 ELSE 1 END

-- name: liability-periods-do-not-overlap
-- Assessment rows of one case follow each other; rows with an unknown first day are not compared.
SELECT liability_period_id AS identifier
FROM (
    SELECT
        liability_period_id,
        from_date,
        lag(to_date) OVER rows_of_case AS previous_to,
        lag(to_date_mark) OVER rows_of_case AS previous_mark,
        lag(from_date) OVER rows_of_case AS previous_from
    FROM liability_periods
    WHERE case_id IS NOT NULL AND from_date IS NOT NULL
    WINDOW rows_of_case AS (PARTITION BY case_id ORDER BY from_date, row_no)
) AS periods
WHERE previous_from IS NOT NULL AND (previous_to >= from_date OR previous_mark = 'OPEN')

-- name: ledger-belongs-to-its-case
-- An entry's debt is a debt of the entry's case; an entry without a case has no debt.
SELECT l.entry_id AS identifier
FROM ledger AS l
LEFT JOIN debts AS d ON d.debt_id = l.debt_id
WHERE (l.case_id IS NULL AND l.debt_id IS NOT NULL) OR (l.case_id IS NOT NULL AND (d.case_id IS NULL OR d.case_id <> l.case_id))

-- name: removed-debts-have-no-balance
-- The entries of a removed debt have all been taken back.
SELECT d.debt_id AS identifier
FROM debts AS d
INNER JOIN ledger AS l ON l.debt_id = d.debt_id
WHERE d.status = 'REMOVED'
GROUP BY d.debt_id
HAVING sum(l.pence) <> 0 OR sum(l.suspended_pence) <> 0

-- name: ledger-is-complete
-- Entries that each delivery added, counted and summed, equal the control sums kept when its slices were merged.
SELECT delivery_id AS identifier
FROM (
    SELECT delivery_id, count(*) AS entries, sum(pence) AS pence, sum(suspended_pence) AS suspended, sum(stored_pence) AS stored
    FROM ledger
    GROUP BY delivery_id
    UNION ALL
    SELECT
        delivery_id,
        -sum(ledger_entries),
        -sum(ledger_pence),
        -sum(ledger_suspended_pence),
        -sum(ledger_stored_pence)
    FROM slices
    GROUP BY delivery_id
) AS both_sides
GROUP BY delivery_id
HAVING sum(entries) <> 0 OR sum(pence) <> 0 OR sum(suspended) <> 0 OR sum(stored) <> 0

-- name: slices-are-complete
-- An accepted file has been merged in as many slices as it was cut into.
SELECT d.delivery_id AS identifier
FROM deliveries AS d
LEFT JOIN slices AS s ON s.delivery_id = d.delivery_id
WHERE d.state = 'ACCEPTED' AND d.slices IS NOT NULL
GROUP BY d.delivery_id, d.slices
HAVING count(s.slice_no) <> d.slices

-- name: events-are-numbered-without-gaps
-- Events of one subject and audience carry the numbers 1, 2, 3 ….
SELECT min(replace(CAST(event_id AS VARCHAR(36)), '-', '')) AS identifier
FROM outbox
GROUP BY subject, audience
HAVING count(*) <> max(sequence) OR min(sequence) <> 1 OR count(DISTINCT sequence) <> count(*)

-- name: what-goes-out-comes-in
-- On every account that moved, TRANSFER_OUT and TRANSFER_IN cancel, reversals included.
SELECT min(replace(CAST(e.account AS VARCHAR(36)), '-', '')) AS identifier
FROM transfer_entries AS e
LEFT JOIN transfer_entries AS u ON u.entry_id = e.reverses
WHERE coalesce(u.kind, e.kind) IN ('TRANSFER_OUT', 'TRANSFER_IN')
GROUP BY e.run_id, e.attempt, e.account, e.account_kind
HAVING sum(e.pence) <> 0 OR sum(e.suspended_pence) <> 0

-- name: moved-accounts-are-empty-at-their-source
-- What a source said, what was corrected and what went out come to nothing.
SELECT min(replace(CAST(e.account AS VARCHAR(36)), '-', '')) AS identifier
FROM transfer_entries AS e
INNER JOIN transferred_cases AS c
    ON c.run_id = e.run_id AND c.case_id = e.case_id AND c.attempt = e.attempt AND c.host_system = e.host_system
GROUP BY e.run_id, e.attempt, e.account, e.account_kind
HAVING sum(e.pence) <> 0 OR sum(e.suspended_pence) <> 0

-- name: groups-move-whole
-- The target masters every debt of a group that has moved, and none of any other group.
SELECT d.debt_id AS identifier
FROM transferred_debts AS d
INNER JOIN transfer_groups AS g
    ON g.run_id = d.run_id AND g.case_group_id = d.case_group_id
LEFT JOIN debt_mastery AS m
    ON m.run_id = d.run_id AND m.debt_id = d.debt_id AND m.attempt = d.attempt AND m.until IS NULL
WHERE
    (m.debt_id IS NOT NULL)
    <> (g.attempt = d.attempt AND g.state IN ('LOADED', 'SIGNED_OFF', 'CLOSING', 'CLOSED'))

-- name: references-are-in-use-while-their-group-is
-- A target reference is live exactly while its group is frozen or has moved.
SELECT r.case_id AS identifier
FROM target_references AS r
INNER JOIN transfer_groups AS g ON g.run_id = r.run_id AND g.case_group_id = r.case_group_id
WHERE
    (r.retired_at IS NULL)
    <> (g.attempt = r.attempt AND g.state IN ('FROZEN', 'LOADED', 'SIGNED_OFF', 'CLOSING', 'CLOSED'))

-- name: segments-stand-from-their-notice
-- All cases of a group whose notice was printed on one day were given the same segment of the group.
SELECT min(replace(CAST(case_id AS VARCHAR(36)), '-', '')) AS identifier
FROM closure_notices
GROUP BY case_group_id, printed_on
HAVING count(DISTINCT group_segment) > 1
