-- What the change events of CS2 say and do (csa2003.md §5). raw_events is the reader's: every kept message that was not
-- refused, in the order in which they were taken. Comes behind csa2003.sql.

CREATE MACRO a_number(x) AS CAST(trim(x) AS BIGINT);

-- The first of a case and number stays; one that says something else makes the number contested.
CREATE VIEW all_events AS
SELECT e.caseRef || ' ' || a_number(e.caseSeq) AS source_ref, e.caseRef, a_number(e.caseSeq) AS case_seq,
       coalesce(a_number(c.lastEventSeq), 0) AS book_seq, arg_min(e, e.nth) AS first,
       count(DISTINCT e.content) > 1 AS is_contested
FROM raw_events e JOIN now_cases c ON c.ref = e.caseRef
GROUP BY ALL;

-- Behind the book an event applies as long as no number is missing before it.
CREATE VIEW now_events AS
SELECT *, case_seq - row_number() OVER (PARTITION BY caseRef ORDER BY case_seq) = book_seq AS applies
FROM all_events WHERE case_seq > book_seq;

CREATE VIEW said_changes AS
SELECT NULL AS grp, source_ref, 1 AS nth, caseRef AS own_case, first.kind AS kind, first.id AS source_id,
       first.scheduleRef AS schedule_ref, first.reverses AS reverses_ref, coalesce(in_pence(first.amount), 0) AS pence,
       first.reason AS reason, CAST(left(trim(first.occurredAt), 10) AS DATE) AS occurred_on,
       CASE WHEN first.kind = 'Charge' THEN CAST(left(trim(first."to"), 10) AS DATE) - 1 END AS charged_to,
       coalesce(first.disbursement = 'HELD', false) AS is_held, is_contested, true AS is_a_message
FROM now_events;

CREATE VIEW held_changes AS
SELECT NULL AS grp, h.source_ref || ' ' || h.case_seq AS source_ref, 1 AS nth, h.source_ref AS own_case, h.kind,
       h.source_id, h.schedule_ref, h.reverses_ref, h.pence, h.reason, h.occurred_on, h.charged_to, h.is_held,
       h.conflicts > 0 AS is_contested,
       EXISTS (SELECT 1 FROM raw_events e WHERE e.delivery_id = h.delivery_id AND e.caseRef = h.source_ref
               AND a_number(e.caseSeq) = h.case_seq) AS is_a_message
FROM hub_changes h JOIN now_cases c ON c.ref = h.source_ref WHERE h.case_seq > coalesce(a_number(c.lastEventSeq), 0);

-- Transactions that an event may reverse: those of the book, and those that events before it have added.
CREATE VIEW reversible AS
SELECT own_case, id, debt_owner, CASE WHEN type = 'RECEIPT' AND coalesce(disbursement, 'PAID') = 'HELD'
         AND id NOT IN (SELECT reverses FROM now_transactions WHERE type = 'REVERSAL' AND reverses IS NOT NULL)
         THEN -in_pence(amount) ELSE 0 END AS held, 0 AS since
FROM now_transactions WHERE own_case IS NOT NULL
UNION ALL
SELECT e.caseRef, e.first.id, CASE s.owner WHEN 'MIXED' THEN 'UNKNOWN' ELSE s.owner END,
       CASE WHEN e.first.kind = 'Receipt' AND e.first.disbursement = 'HELD' THEN -in_pence(e.first.amount) ELSE 0 END,
       e.case_seq
FROM now_events e JOIN now_schedules s ON s.own_case = e.caseRef AND s.id = e.first.scheduleRef
WHERE e.applies AND e.first.kind IN ('Charge', 'Receipt', 'Adjustment')
  AND NOT (e.first.kind = 'Adjustment' AND e.first.reason IN ('SUSPEND', 'UNSUSPEND'));

-- Of several transactions of one id the newest before the event counts, and cash is released once.
CREATE VIEW reversals AS
SELECT e.caseRef, e.case_seq, arg_max(r, r.since) AS undone, in_pence(any_value(e.first.amount)) AS pence,
       row_number() OVER (PARTITION BY e.caseRef, e.first.reverses, max(r.since) ORDER BY e.case_seq) = 1 AS is_first
FROM now_events e JOIN reversible r ON r.own_case = e.caseRef AND r.id = e.first.reverses AND r.since < e.case_seq
WHERE e.applies AND e.first.kind = 'ReceiptReversed'
GROUP BY e.caseRef, e.case_seq, e.first.reverses;

CREATE VIEW effects_of_events AS
SELECT e.caseRef, CASE s.owner WHEN 'MIXED' THEN 'UNKNOWN' ELSE s.owner END AS owner,
       CASE WHEN e.first.reason IN ('SUSPEND', 'UNSUSPEND') AND e.first.kind = 'Adjustment' THEN 0
         ELSE in_pence(e.first.amount) END AS pence,
       CASE WHEN e.first.kind <> 'Adjustment' OR s.owner NOT IN ('RECEIVING_PARENT', 'SECRETARY_OF_STATE') THEN 0
         WHEN e.first.reason = 'SUSPEND' THEN in_pence(e.first.amount)
         WHEN e.first.reason = 'UNSUSPEND' THEN -in_pence(e.first.amount) ELSE 0 END AS suspended_pence,
       CASE WHEN e.first.kind = 'Receipt' AND e.first.disbursement = 'HELD' THEN -in_pence(e.first.amount) ELSE 0 END AS cash
FROM now_events e JOIN now_schedules s ON s.own_case = e.caseRef AND s.id = e.first.scheduleRef
WHERE e.applies AND e.first.kind IN ('Charge', 'Receipt', 'Adjustment')
UNION ALL
SELECT caseRef, undone.debt_owner, pence, 0, CASE WHEN is_first THEN -undone.held ELSE 0 END FROM reversals;

CREATE OR REPLACE VIEW changed_accounts AS
SELECT 'DEBT' AS account_kind, caseRef AS source_ref, owner, sum(pence) AS pence, sum(suspended_pence) AS suspended_pence
FROM effects_of_events GROUP BY ALL
UNION ALL
SELECT 'CUSTODIAN', caseRef, NULL, sum(cash), 0 FROM effects_of_events GROUP BY ALL;

-- A later book contains events by now: an account was opened with what that book states, but for the last of them. Which
-- cash they released can't be told from the book.
CREATE VIEW contained_events AS
SELECT e.caseRef, e.case_seq, coalesce(t.debt_owner, CASE s.owner WHEN 'MIXED' THEN 'UNKNOWN' ELSE s.owner END) AS owner,
       CASE WHEN e.first.reason IN ('SUSPEND', 'UNSUSPEND') THEN 0 ELSE coalesce(in_pence(e.first.amount), 0) END AS pence,
       CASE e.first.reason WHEN 'SUSPEND' THEN 1 WHEN 'UNSUSPEND' THEN -1 ELSE 0 END * coalesce(in_pence(e.first.amount), 0)
         AS suspended_pence
FROM all_events e LEFT JOIN now_schedules s ON s.own_case = e.caseRef AND s.id = e.first.scheduleRef
LEFT JOIN now_transactions t ON t.own_case = e.caseRef AND t.id = e.first.reverses
WHERE e.case_seq <= e.book_seq;

CREATE OR REPLACE VIEW contained_changes AS
SELECT 'DEBT' AS account_kind, caseRef AS source_ref, owner,
       sum(pence) OVER (PARTITION BY caseRef, owner ORDER BY case_seq DESC) AS pence,
       sum(suspended_pence) OVER (PARTITION BY caseRef, owner ORDER BY case_seq DESC) AS suspended_pence
FROM contained_events WHERE owner IS NOT NULL
UNION ALL
SELECT DISTINCT 'CUSTODIAN', caseRef, NULL, NULL, NULL FROM contained_events;
