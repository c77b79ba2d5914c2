-- What the CS2 files say, in the shape in which the hub holds it (csa2003.md). Tables raw_… are the reader's, all text;
-- seq is the file's sequence number. A case counts as it last came with everything that hangs on it, unless its group was
-- set aside then. Ends of periods are the first day not covered: one day earlier here (§3).

CREATE MACRO is_blank(x) AS x IN ('1900-01-01', '1980-01-01', '9999-12-31', '0001-01-01');
CREATE MACRO a_day(x) AS CASE WHEN is_blank(trim(x)) THEN NULL ELSE CAST(trim(x) AS DATE) END;
CREATE MACRO a_day_mark(x) AS CASE WHEN is_blank(trim(x)) THEN 'SENTINEL' END;
CREATE MACRO an_end(x) AS
  CASE WHEN trim(x) IN ('9999-12-31', '0001-01-01') THEN NULL ELSE CAST(trim(x) AS DATE) - 1 END;
CREATE MACRO an_end_mark(x) AS
  CASE WHEN x IS NULL OR trim(x) = '9999-12-31' THEN 'OPEN' WHEN trim(x) = '0001-01-01' THEN 'SENTINEL' END;
CREATE MACRO in_pence(x) AS CAST(CAST(trim(x) AS DECIMAL(18, 2)) * 100 AS BIGINT);
CREATE MACRO is_true(x) AS trim(x) IN ('true', '1');
CREATE MACRO words(x) AS nullif(rtrim(x, ' '), '');
CREATE MACRO a_week(x) AS (2 * in_pence(x) * 3 + 13) // 26; -- near(monthly × 3, 13), §4

-- The group of a case is its non-resident parent's, by the first such relationship.
CREATE VIEW owners_of_cases AS
SELECT c.seq, c.ref, arg_min(r.partyRef, r.record_no) AS party
FROM raw_Case c LEFT JOIN raw_Relationship r ON r.seq = c.seq AND r.caseRef = c.ref AND r.role = 'NRP'
GROUP BY c.seq, c.ref;

CREATE VIEW latest AS
SELECT ref, max(seq) AS seq FROM owners_of_cases o
WHERE NOT EXISTS (SELECT 1 FROM set_aside a WHERE a.seq = o.seq AND a.grp = coalesce(o.party, 'no non-resident parent'))
GROUP BY ref;
CREATE VIEW now_cases AS
SELECT c.*, coalesce(o.party, 'no non-resident parent') AS grp
FROM raw_Case c JOIN latest USING (seq, ref) JOIN owners_of_cases o USING (seq, ref);

-- What names a case of no file is kept as the newest file has it; after a whole book only what that book has counts.
CREATE VIEW whole_book AS SELECT coalesce(max(seq), 0) AS seq FROM raw_CS2Extract WHERE kind = 'FULL';
CREATE VIEW now_schedules AS
SELECT s.*, l.ref AS own_case FROM raw_Schedule s LEFT JOIN latest l ON l.seq = s.seq AND l.ref = s.caseRef
WHERE l.ref IS NOT NULL OR NOT EXISTS (SELECT 1 FROM raw_Case c WHERE c.seq = s.seq AND c.ref = s.caseRef);
CREATE VIEW now_transactions AS
SELECT t.*, s.owner, s.caseRef, s.own_case,
       CASE s.owner WHEN 'MIXED' THEN 'UNKNOWN' ELSE s.owner END AS debt_owner
FROM raw_Transaction t LEFT JOIN now_schedules s ON s.seq = t.seq AND s.id = t.scheduleRef
WHERE s.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM raw_Schedule o WHERE o.seq = t.seq AND o.id = t.scheduleRef);

CREATE VIEW heads AS SELECT seq, CAST(trim(asAt) AS DATE) AS as_at FROM raw_CS2Extract;

CREATE VIEW said_parties AS
SELECT NULL AS grp, id AS source_ref, 1 AS nth, words(p.surname) AS surname, words(p.forenames) AS forenames,
       a_day(p.birth) AS birth_date, a_day_mark(p.birth) AS birth_date_mark, p.sex,
       nullif(upper(replace(p.nino, ' ', '')), '') AS nino, is_usable(upper(replace(p.nino, ' ', ''))) AS nino_usable
FROM (SELECT id, arg_max({'surname': surname, 'forenames': forenames, 'birth': birth, 'sex': sex, 'nino': nino}, seq) AS p
      FROM raw_Party GROUP BY id);

CREATE OR REPLACE VIEW held_addresses AS
SELECT NULL AS grp, a.source_ref, 1 AS nth, p.source_ref AS party, a.kind, a.confidential, a.postcode, a.line_1, a.line_2,
       a.line_3, a.line_4, a.line_5
FROM hub_addresses a LEFT JOIN party_refs p USING (party_id);

CREATE VIEW said_addresses AS
SELECT NULL AS grp, id AS source_ref, 1 AS nth, a.partyRef AS party, a.kind, is_true(a.confidential) AS confidential,
       words(a.postcode) AS postcode, words(a.line_1) AS line_1, words(a.line_2) AS line_2, words(a.line_3) AS line_3,
       words(a.line_4) AS line_4, words(a.line_5) AS line_5
FROM (SELECT id, arg_max({'partyRef': partyRef, 'kind': kind, 'confidential': confidential, 'postcode': postcode,
                          'line_1': line_1, 'line_2': line_2, 'line_3': line_3, 'line_4': line_4, 'line_5': line_5},
                         seq) AS a
      FROM raw_Address GROUP BY id);

CREATE VIEW said_cases AS
SELECT grp, ref AS source_ref, 1 AS nth, '2003' AS scheme,
       CASE status WHEN 'ARREARS' THEN 'ARREARS_ONLY' WHEN 'OFFSYSTEM' THEN 'OFF_SYSTEM' ELSE status END AS status,
       a_day(applicationDate) AS effective_date, a_day_mark(applicationDate) AS effective_date_mark,
       an_end(awardEnd) AS liability_end, an_end_mark(awardEnd) AS liability_end_mark,
       a_day(chargedTo) - 1 AS last_charged, a_day_mark(chargedTo) AS last_charged_mark,
       is_true(ledgerComplete) AS ledger_complete, is_true(benefitKnown) AS benefit_known,
       is_true(queryMark) AS accuracy_query, in_pence(custodianCash) AS source_custodian_pence,
       CAST(trim(lastEventSeq) AS BIGINT) AS last_event_seq, words(note) AS note, h.as_at
FROM now_cases JOIN heads h USING (seq);

CREATE OR REPLACE VIEW held_cases AS
SELECT g.source_ref AS grp, c.source_ref, 1 AS nth, c.scheme, c.status, c.effective_date, c.effective_date_mark,
       c.liability_end, c.liability_end_mark, c.last_charged, c.last_charged_mark, c.ledger_complete, c.benefit_known,
       c.accuracy_query, c.source_custodian_pence, c.last_event_seq, c.note, c.as_at
FROM hub_cases c ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN group_refs g USING (group_id);

-- From here on a row's group is that of its case, which is compared above.
CREATE VIEW said_roles AS
SELECT NULL AS grp, r.id AS source_ref, 1 AS nth, r.caseRef AS source_case_ref, l.ref AS own_case, r.partyRef AS party,
       CASE r.role WHEN 'QC' THEN 'QCH' WHEN 'PARTNER' THEN 'PTN' ELSE r.role END AS role,
       a_day(r."from") AS from_date, coalesce(a_day_mark(r."from"), CASE WHEN r."from" IS NULL THEN 'NOT_RECORDED' END)
         AS from_date_mark,
       an_end(r."to") AS to_date, an_end_mark(r."to") AS to_date_mark, is_true(r.payee) AS is_payee
FROM raw_Relationship r JOIN latest l ON l.seq = r.seq AND l.ref = r.caseRef;

CREATE OR REPLACE VIEW held_roles AS
SELECT NULL AS grp, r.source_ref, 1 AS nth, r.source_case_ref, c.source_ref AS own_case, p.source_ref AS party, r.role,
       r.from_date, r.from_date_mark, r.to_date, r.to_date_mark, r.is_payee
FROM hub_roles r ANTI JOIN held_elsewhere USING (case_id) JOIN case_refs c USING (case_id)
LEFT JOIN party_refs p USING (party_id);

CREATE VIEW said_benefit_periods AS
SELECT NULL AS grp, b.caseRef || '/benefit/' || b.nth AS source_ref, 1 AS nth, b.caseRef AS own_case,
       a_day(b."from") AS from_date, a_day_mark(b."from") AS from_date_mark, an_end(b."to") AS to_date,
       an_end_mark(b."to") AS to_date_mark, b.type AS benefit
FROM raw_Benefit b JOIN latest l ON l.seq = b.seq AND l.ref = b.caseRef;

CREATE OR REPLACE VIEW held_benefit_periods AS
SELECT NULL AS grp, b.source_ref, 1 AS nth, c.source_ref AS own_case, b.from_date, b.from_date_mark, b.to_date,
       b.to_date_mark, b.benefit
FROM hub_benefit_periods b ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN case_refs c USING (case_id);

CREATE VIEW said_liability_periods AS
SELECT NULL AS grp, a.id AS source_ref, 1 AS nth, a.caseRef AS source_case_ref, l.ref AS own_case,
       row_number() OVER (PARTITION BY a.seq, a.caseRef ORDER BY a.record_no) AS row_no,
       a_day(a."from") AS from_date, a_day_mark(a."from") AS from_date_mark, an_end(a."to") AS to_date,
       an_end_mark(a."to") AS to_date_mark, a.type AS basis, a_week(a.monthly) AS weekly_pence,
       in_pence(a.monthly) AS monthly_pence,
       a.netMonthly IS NOT NULL AND a.children IS NOT NULL AND a.nights IS NOT NULL AS inputs_held,
       CASE WHEN a.children IS NOT NULL AND a.nights IS NOT NULL THEN in_pence(a.netMonthly) END AS net_monthly_pence,
       CASE WHEN a.netMonthly IS NOT NULL AND a.nights IS NOT NULL THEN CAST(trim(a.children) AS BIGINT) END AS children,
       CASE WHEN a.netMonthly IS NOT NULL AND a.children IS NOT NULL THEN CAST(trim(a.nights) AS BIGINT) END AS nights_1
FROM raw_Assessment a JOIN latest l ON l.seq = a.seq AND l.ref = a.caseRef;

CREATE OR REPLACE VIEW held_liability_periods AS
SELECT NULL AS grp, l.source_ref, 1 AS nth, l.source_case_ref, c.source_ref AS own_case, l.row_no, l.from_date,
       l.from_date_mark, l.to_date, l.to_date_mark, l.basis, l.weekly_pence, l.monthly_pence, l.inputs_held,
       l.net_monthly_pence, l.children, l.nights_1
FROM hub_liability_periods l ANTI JOIN held_elsewhere USING (case_id) JOIN case_refs c USING (case_id);

CREATE OR REPLACE VIEW held_schedules AS
SELECT NULL AS grp, s.source_ref, 1 AS nth, s.source_case_ref, c.source_ref AS own_case, d.legal_owner AS debt_owner,
       s.owner, s.source_id, s.pence, s.suspended_pence
FROM hub_schedules s ANTI JOIN held_elsewhere USING (case_id) JOIN case_refs c USING (case_id)
LEFT JOIN debt_refs d USING (debt_id);

-- An owner's figure is the sum of its schedules; a mixed or unknown owner's are the third debt (§2).
CREATE VIEW accounts AS
SELECT s.seq, s.own_case, CASE s.owner WHEN 'MIXED' THEN 'UNKNOWN' ELSE s.owner END AS legal_owner,
       sum(in_pence(s.balance)) AS pence, sum(in_pence(s.suspended)) AS suspended_pence,
       sum((SELECT count(*) FROM raw_Transaction t WHERE t.seq = s.seq AND t.scheduleRef = s.id)) AS lines
FROM now_schedules s WHERE s.own_case IS NOT NULL GROUP BY ALL;
CREATE VIEW debts_there AS SELECT * FROM accounts WHERE pence <> 0 OR suspended_pence <> 0 OR lines > 0;

CREATE VIEW said_schedules AS
SELECT NULL AS grp, s.id AS source_ref, 1 AS nth, s.caseRef AS source_case_ref, s.own_case, d.legal_owner AS debt_owner,
       s.owner, s.id AS source_id, in_pence(s.balance) AS pence, in_pence(s.suspended) AS suspended_pence
FROM now_schedules s
LEFT JOIN debts_there d
  ON d.own_case = s.own_case AND d.legal_owner = CASE s.owner WHEN 'MIXED' THEN 'UNKNOWN' ELSE s.owner END
WHERE s.own_case IS NOT NULL;

CREATE VIEW said_debts AS
SELECT NULL AS grp, d.own_case || ' ' || d.legal_owner AS source_ref, 1 AS nth, d.own_case, '2003' AS scheme, d.legal_owner,
       CASE d.legal_owner WHEN 'RECEIVING_PARENT' THEN 'PWC' WHEN 'SECRETARY_OF_STATE' THEN 'SECRETARY_OF_STATE' END
         AS payee_role,
       'CHILD_MAINTENANCE_ARREARS' AS kind, a_day(c.applicationDate) AS opened
FROM debts_there d JOIN now_cases c ON c.ref = d.own_case;

CREATE OR REPLACE VIEW held_debts AS
SELECT NULL AS grp, d.source_ref || ' ' || d.legal_owner AS source_ref, 1 AS nth, c.source_ref AS own_case, d.scheme,
       d.legal_owner, d.payee_role, d.kind, d.opened
FROM hub_debts d ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN case_refs c USING (case_id)
WHERE d.status <> 'REMOVED';

CREATE VIEW said_balances AS
SELECT NULL AS grp, own_case || ' ' || legal_owner AS source_ref, 1 AS nth, CAST(pence AS BIGINT) AS pence,
       CAST(suspended_pence AS BIGINT) AS suspended_pence, h.as_at
FROM debts_there JOIN heads h USING (seq);

CREATE OR REPLACE VIEW held_balances AS
SELECT NULL AS grp, r.source_ref, 1 AS nth, b.pence, b.suspended_pence, b.as_at
FROM hub_balances b JOIN hub_debts d USING (debt_id) ANTI JOIN held_elsewhere ON held_elsewhere.case_id = d.case_id
JOIN debt_refs r USING (debt_id)
WHERE b.kind = 'SOURCE' AND d.status <> 'REMOVED';

CREATE VIEW said_ledger AS
SELECT NULL AS grp, t.id AS source_ref, 1 AS nth, coalesce(t.caseRef, t.scheduleRef) AS source_case_ref, t.own_case,
       CAST(trim(t.no) AS BIGINT) AS line_no,
       CASE WHEN t.type = 'CHARGE' THEN 'LIABILITY' WHEN t.type <> 'ADJUSTMENT' THEN t.type
         WHEN t.reason = 'OPENING' THEN 'OPENING' WHEN t.reason = 'WRITEOFF' THEN 'WRITE_OFF' ELSE 'ADJUSTMENT' END AS kind,
       coalesce(t.owner, 'UNKNOWN') AS owner, CASE WHEN t.own_case IS NOT NULL THEN t.debt_owner END AS debt_owner,
       words(t.reason) AS reason,
       CASE WHEN t.type = 'ADJUSTMENT' AND t.reason IN ('SUSPEND', 'UNSUSPEND') THEN 0 ELSE in_pence(t.amount) END AS pence,
       CASE WHEN t.type <> 'ADJUSTMENT' THEN 0 WHEN t.reason = 'SUSPEND' THEN in_pence(t.amount)
         WHEN t.reason = 'UNSUSPEND' THEN -in_pence(t.amount) ELSE 0 END AS suspended_pence,
       in_pence(t.amount) AS stored_pence, a_day(t.posted) AS posted, a_day_mark(t.posted) AS posted_mark,
       coalesce(a_day(t."from"), a_day(t.valueDate), a_day(t.effective)) AS effective,
       coalesce(a_day_mark(t."from"), a_day_mark(t.valueDate), a_day_mark(t.effective)) AS effective_mark,
       CASE t.type WHEN 'CHARGE' THEN a_day(t."from") END AS from_date,
       CASE t.type WHEN 'CHARGE' THEN a_day_mark(t."from") END AS from_date_mark,
       CASE t.type WHEN 'CHARGE' THEN an_end(t."to") END AS to_date,
       CASE t.type WHEN 'CHARGE' THEN an_end_mark(t."to") END AS to_date_mark,
       CASE t.type WHEN 'CHARGE' THEN a_week(t.monthly) END AS weekly_pence,
       CASE t.type WHEN 'CHARGE' THEN in_pence(t.monthly) END AS monthly_pence,
       t.assessmentRef AS assessment_ref, CAST(trim(u.no) AS BIGINT) AS reverses_line, t.id AS source_id,
       t.scheduleRef AS schedule_ref, t.reverses AS reverses_ref
FROM now_transactions t LEFT JOIN raw_Transaction u ON u.seq = t.seq AND u.id = t.reverses
WHERE t.own_case IS NOT NULL OR t.seq >= (SELECT seq FROM whole_book);

CREATE OR REPLACE VIEW held_ledger AS
SELECT NULL AS grp, l.source_ref, 1 AS nth, l.source_case_ref, c.source_ref AS own_case, l.line_no, l.kind, l.owner,
       d.legal_owner AS debt_owner, l.reason, l.pence, l.suspended_pence, l.stored_pence, l.posted, l.posted_mark,
       l.effective, l.effective_mark, l.from_date, l.from_date_mark, l.to_date, l.to_date_mark, l.weekly_pence,
       l.monthly_pence, l.assessment_ref, l.reverses_line, l.source_id, l.schedule_ref, l.reverses_ref
FROM live_entries l ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN case_refs c USING (case_id)
LEFT JOIN debt_refs d USING (debt_id);

CREATE VIEW said_receipts AS
SELECT NULL AS grp, t.id AS source_ref, 1 AS nth, coalesce(t.caseRef, t.scheduleRef) AS source_case_ref, t.own_case,
       CAST(trim(t.no) AS BIGINT) AS line_no, t.payerRef AS payer, -in_pence(t.amount) AS pence,
       coalesce(t.owner, 'UNKNOWN') AS owner, t.method, a_day(t.valueDate) AS value_date,
       a_day_mark(t.valueDate) AS value_date_mark, words(t.bankReference) AS bank_reference,
       words(t.quotedReference) AS quoted_reference, coalesce(t.bankStatus, 'UNKNOWN') AS bank_status,
       coalesce(t.disbursement, 'PAID') AS custody
FROM now_transactions t
WHERE t.type = 'RECEIPT' AND (t.own_case IS NOT NULL OR t.seq >= (SELECT seq FROM whole_book));

CREATE OR REPLACE VIEW held_receipts AS
SELECT NULL AS grp, r.source_ref, 1 AS nth, r.source_case_ref, c.source_ref AS own_case, r.line_no, r.payer_ref AS payer,
       r.pence, r.owner, r.method, r.value_date, r.value_date_mark, r.bank_reference, r.quoted_reference, r.bank_status,
       r.custody
FROM (SELECT r.*, p.source_ref AS payer_ref FROM hub_receipts r LEFT JOIN party_refs p ON p.party_id = r.payer_party_id) r
ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN case_refs c USING (case_id);

CREATE VIEW said_allocations AS
SELECT NULL AS grp, id AS source_ref, 1 AS nth, own_case || ' ' || debt_owner AS debt, -in_pence(amount) AS pence
FROM now_transactions WHERE type = 'RECEIPT' AND own_case IS NOT NULL;

CREATE OR REPLACE VIEW held_allocations AS
SELECT NULL AS grp, a.source_ref, 1 AS nth, d.source_ref AS debt, a.pence
FROM hub_allocations a JOIN hub_debts e USING (debt_id) ANTI JOIN held_elsewhere ON held_elsewhere.case_id = e.case_id
LEFT JOIN debt_refs d USING (debt_id);

-- An activity without a case belongs to its party: it is replaced when a file has a case of which that is the NRP (§1).
CREATE VIEW latest_of_parties AS
SELECT party, max(seq) AS seq FROM owners_of_cases WHERE party IS NOT NULL GROUP BY party;

CREATE VIEW said_history AS
SELECT NULL AS grp, a.id AS source_ref, 1 AS nth, a.caseRef AS source_case_ref, l.ref AS own_case, a.class, a.code,
       a_day(a."from") AS from_date, a_day_mark(a."from") AS from_date_mark, an_end(a."to") AS to_date,
       an_end_mark(a."to") AS to_date_mark, a.outcome, a.partyRef AS party
FROM raw_Activity a LEFT JOIN latest l ON l.seq = a.seq AND l.ref = a.caseRef
LEFT JOIN latest_of_parties p ON p.party = a.partyRef
WHERE l.ref IS NOT NULL
   OR (NOT EXISTS (SELECT 1 FROM raw_Case c WHERE c.seq = a.seq AND c.ref = a.caseRef)
       AND CASE WHEN p.party IS NULL THEN a.seq >= (SELECT seq FROM whole_book) ELSE a.seq = p.seq END);

CREATE OR REPLACE VIEW held_history AS
SELECT NULL AS grp, h.source_ref, 1 AS nth, h.source_case_ref, c.source_ref AS own_case, h.class, h.code, h.from_date,
       h.from_date_mark, h.to_date, h.to_date_mark, h.outcome, p.source_ref AS party
FROM hub_history h ANTI JOIN held_elsewhere USING (case_id) LEFT JOIN case_refs c USING (case_id)
LEFT JOIN party_refs p USING (party_id);

-- Where each row stands, in whichever file: what a row's provenance must point to.
CREATE VIEW places AS
SELECT 'parties' AS kind, seq, record_no, byte_offset, id AS source_ref FROM raw_Party
UNION ALL SELECT 'addresses', seq, record_no, byte_offset, id FROM raw_Address
UNION ALL SELECT 'cases', seq, record_no, byte_offset, ref FROM raw_Case
UNION ALL SELECT 'benefit_periods', seq, record_no, byte_offset, caseRef || '/benefit/' || nth FROM raw_Benefit
UNION ALL SELECT 'roles', seq, record_no, byte_offset, id FROM raw_Relationship
UNION ALL SELECT 'liability_periods', seq, record_no, byte_offset, id FROM raw_Assessment
UNION ALL SELECT 'schedules', seq, record_no, byte_offset, id FROM raw_Schedule
UNION ALL SELECT 'ledger', seq, record_no, byte_offset, id FROM raw_Transaction
UNION ALL SELECT 'receipts', seq, record_no, byte_offset, id FROM raw_Transaction WHERE type = 'RECEIPT'
UNION ALL SELECT 'allocations', seq, record_no, byte_offset, id FROM raw_Transaction WHERE type = 'RECEIPT'
UNION ALL SELECT 'history', seq, record_no, byte_offset, id FROM raw_Activity
UNION ALL SELECT 'debts', seq, record_no, byte_offset, caseRef FROM raw_Schedule
UNION ALL SELECT 'balances', seq, record_no, byte_offset, caseRef FROM raw_Schedule;
