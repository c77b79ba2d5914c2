-- What the hub holds of one source system, in the shape in which the second reader puts what the files say. Tables hub_…
-- are the hub's own; identifiers are followed to the references that they stand for.

-- A case taken out of its group, or claimed by a group that was set aside, is in no accepted version of the book.
CREATE VIEW held_elsewhere AS
SELECT case_id FROM hub_cases WHERE state IN ('WITHDRAWN', 'HELD');

CREATE VIEW party_refs AS
SELECT party_id, source_ref FROM hub_parties UNION ALL SELECT party_id, source_ref FROM named_parties;
CREATE VIEW case_refs AS SELECT case_id, source_ref FROM hub_cases;
CREATE VIEW group_refs AS SELECT group_id, source_ref FROM hub_groups;
CREATE VIEW debt_refs AS
SELECT d.debt_id, d.source_ref || ' ' || d.legal_owner AS source_ref, d.legal_owner FROM hub_debts d;

CREATE VIEW held_groups AS
SELECT g.source_ref AS grp, g.source_ref, 1 AS nth, p.source_ref AS nrp_party, g.source_status, g.payment_method,
       g.potentially_violent, g.case_count, g.as_at
FROM hub_groups g LEFT JOIN party_refs p ON p.party_id = g.nrp_party_id;

CREATE VIEW held_parties AS
SELECT NULL AS grp, source_ref, 1 AS nth, surname, forenames, birth_date, birth_date_mark, sex, nino, nino_usable
FROM hub_parties;

CREATE VIEW held_cases AS
SELECT g.source_ref AS grp, c.source_ref, 1 AS nth, c.scheme, c.status, c.effective_date, c.effective_date_mark,
       c.liability_end, c.liability_end_mark, c.last_charged, c.last_charged_mark, c.ledger_complete, c.benefit_known,
       c.accuracy_query, c.source_custodian_pence, c.note, c.as_at
FROM hub_cases c ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id);

CREATE VIEW held_roles AS
SELECT g.source_ref AS grp, r.source_ref,
       row_number() OVER (PARTITION BY r.group_id, r.source_ref ORDER BY r.record_no) AS nth,
       r.source_case_ref, c.source_ref AS own_case, p.source_ref AS party, r.role, r.from_date, r.from_date_mark, r.to_date,
       r.to_date_mark, r.is_payee, r.birth_date, r.birth_date_mark
FROM hub_roles r ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id)
LEFT JOIN case_refs c USING (case_id) LEFT JOIN party_refs p USING (party_id);

CREATE VIEW held_addresses AS
SELECT g.source_ref AS grp, a.source_ref, 1 AS nth, p.source_ref AS party, a.kind, a.confidential, a.valid_from,
       a.valid_from_mark, a.postcode, a.line_1, a.line_2, a.line_3, a.line_4, a.line_5
FROM hub_addresses a LEFT JOIN group_refs g USING (group_id) LEFT JOIN party_refs p USING (party_id);

CREATE VIEW held_benefit_periods AS
SELECT g.source_ref AS grp, b.source_ref, 1 AS nth, c.source_ref AS own_case, b.from_date, b.from_date_mark, b.to_date,
       b.to_date_mark, b.benefit
FROM hub_benefit_periods b ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id)
LEFT JOIN case_refs c USING (case_id);

CREATE VIEW held_liability_periods AS
SELECT g.source_ref AS grp, l.source_ref,
       row_number() OVER (PARTITION BY l.group_id, l.source_ref ORDER BY l.record_no) AS nth,
       l.source_case_ref, c.source_ref AS own_case, l.row_no, l.from_date, l.from_date_mark, l.to_date, l.to_date_mark,
       l.basis, l.weekly_pence, l.monthly_pence, l.inputs_held, l.net_weekly_pence, l.exempt_weekly_pence,
       l.net_monthly_pence, l.children, l.nights_1, l.nights_2, l.nights_3, l.nights_4
FROM hub_liability_periods l ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id)
LEFT JOIN case_refs c USING (case_id);

CREATE VIEW held_debts AS
SELECT g.source_ref AS grp, d.source_ref || ' ' || d.legal_owner AS source_ref, 1 AS nth, c.source_ref AS own_case, d.scheme,
       d.legal_owner, d.payee_role, d.kind, d.opened
FROM hub_debts d ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id)
LEFT JOIN case_refs c USING (case_id)
WHERE d.status <> 'REMOVED';

CREATE VIEW held_balances AS
SELECT g.source_ref AS grp, r.source_ref, 1 AS nth, b.pence, b.suspended_pence, b.as_at
FROM hub_balances b JOIN hub_debts d USING (debt_id) ANTI JOIN held_elsewhere ON held_elsewhere.case_id = d.case_id
JOIN debt_refs r USING (debt_id) LEFT JOIN group_refs g ON g.group_id = b.group_id
WHERE b.kind = 'SOURCE' AND d.status <> 'REMOVED';

-- Entries that count by themselves: they take nothing back, nothing takes them back, and the source made them.
CREATE VIEW live_entries AS
SELECT * FROM hub_ledger l
WHERE cancels_entry_id IS NULL AND kind NOT IN ('TRANSFER_OUT', 'TRANSFER_IN')
  AND NOT EXISTS (SELECT 1 FROM hub_ledger o WHERE o.cancels_entry_id = l.entry_id);

CREATE VIEW held_ledger AS
SELECT CASE WHEN l.case_id IS NULL THEN g.source_ref END AS grp, l.source_ref, 1 AS nth, l.source_case_ref, c.source_ref AS own_case, l.line_no, l.kind, l.owner,
       d.legal_owner AS debt_owner, l.reason, l.pence, l.suspended_pence, l.stored_pence, l.posted, l.posted_mark,
       l.effective, l.effective_mark, l.from_date, l.from_date_mark, l.to_date, l.to_date_mark, l.weekly_pence,
       l.monthly_pence, l.assessment_row, l.assessment_ref, l.reverses_line, l.source_id, l.schedule_ref, l.reverses_ref,
       l.authority, l.text
FROM live_entries l ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id)
LEFT JOIN case_refs c USING (case_id) LEFT JOIN debt_refs d USING (debt_id);

CREATE VIEW held_receipts AS
SELECT g.source_ref AS grp, r.source_ref, 1 AS nth, r.source_case_ref, c.source_ref AS own_case, r.line_no,
       p.source_ref AS payer, r.pence, r.owner, r.method, r.value_date, r.value_date_mark, r.bank_reference,
       r.quoted_reference, r.bank_status, r.custody
FROM hub_receipts r ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id)
LEFT JOIN case_refs c USING (case_id) LEFT JOIN party_refs p ON p.party_id = r.payer_party_id;

CREATE VIEW held_allocations AS
SELECT g.source_ref AS grp, a.source_ref, 1 AS nth, d.source_ref AS debt, a.pence
FROM hub_allocations a JOIN hub_debts e USING (debt_id) ANTI JOIN held_elsewhere ON held_elsewhere.case_id = e.case_id
LEFT JOIN group_refs g ON g.group_id = a.group_id LEFT JOIN debt_refs d USING (debt_id);

CREATE VIEW held_history AS
SELECT g.source_ref AS grp, h.source_ref, 1 AS nth, h.source_case_ref, c.source_ref AS own_case, h.class, h.code,
       h.from_date, h.from_date_mark, h.to_date, h.to_date_mark, h.outcome, p.source_ref AS party
FROM hub_history h ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id)
LEFT JOIN case_refs c USING (case_id) LEFT JOIN party_refs p USING (party_id);

CREATE VIEW held_schedules AS
SELECT g.source_ref AS grp, s.source_ref, 1 AS nth, s.source_case_ref, c.source_ref AS own_case, d.legal_owner AS debt_owner,
       s.owner, s.pence, s.suspended_pence
FROM hub_schedules s ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id)
LEFT JOIN case_refs c USING (case_id) LEFT JOIN debt_refs d USING (debt_id);

-- What change events do to accounts behind the book, and what the last ones that the book contains by now have done. Of
-- sources without events there is nothing.
CREATE VIEW changed_accounts AS
SELECT '' AS account_kind, '' AS source_ref, NULL::VARCHAR AS owner, 0::BIGINT AS pence, 0::BIGINT AS suspended_pence
WHERE false;
CREATE VIEW contained_changes AS SELECT * FROM changed_accounts;
