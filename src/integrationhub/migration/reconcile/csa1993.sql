-- What the CSCS files say, in the shape in which the hub holds it (csa1993.md). Tables raw_… are the reader's; seq is the
-- file's sequence number. A group counts as it last came, unless that version was set aside when it was loaded.

CREATE VIEW latest AS
SELECT grp, max(seq) AS seq FROM raw_groups ANTI JOIN set_aside USING (seq, grp) GROUP BY grp;

CREATE VIEW now_groups AS SELECT * FROM raw_groups JOIN latest USING (seq, grp);
CREATE VIEW now_cases AS SELECT * FROM raw_cases JOIN latest USING (seq, grp);
CREATE VIEW now_benefits AS SELECT * FROM raw_benefits JOIN latest USING (seq, grp);
CREATE VIEW now_roles AS SELECT * FROM raw_roles JOIN latest USING (seq, grp);
CREATE VIEW now_addresses AS SELECT * FROM raw_addresses JOIN latest USING (seq, grp);
CREATE VIEW now_assessments AS SELECT * FROM raw_assessments JOIN latest USING (seq, grp);
CREATE VIEW now_history AS SELECT * FROM raw_history JOIN latest USING (seq, grp);
CREATE VIEW now_lines AS
SELECT l.*, c.source_ref AS own_case
FROM raw_lines l JOIN latest USING (seq, grp)
LEFT JOIN now_cases c ON c.grp = l.grp AND c.source_ref = l.source_case_ref;

CREATE VIEW said_groups AS
SELECT grp, grp AS source_ref, 1 AS nth, nrp_party, source_status, payment_method, potentially_violent, case_count,
       h.as_at
FROM now_groups g JOIN raw_headers h USING (seq);

-- A party is as its record with the highest number of the newest file has it, whatever group that stood in (record 25).
CREATE VIEW said_parties AS
SELECT NULL AS grp, party AS source_ref, 1 AS nth, last.* EXCLUDE (place)
FROM (
  SELECT party, arg_max(
    {'place': record_no, 'surname': surname, 'forenames': forenames, 'birth_date': birth_date,
     'birth_date_mark': birth_date_mark, 'sex': sex, 'nino': nino, 'nino_usable': is_usable(nino)},
    seq * 4294967296 + record_no) AS found
  FROM raw_roles ANTI JOIN set_aside USING (seq, grp) GROUP BY party
) AS each_party(party, last);

CREATE VIEW said_roles AS
SELECT r.grp, r.source_ref, row_number() OVER (PARTITION BY r.grp, r.source_ref ORDER BY r.record_no) AS nth,
       source_case_ref, c.source_ref AS own_case, party, role, from_date, from_date_mark, to_date, to_date_mark, is_payee,
       birth_date, birth_date_mark
FROM now_roles r LEFT JOIN now_cases c ON c.grp = r.grp AND c.source_ref = r.source_case_ref;

CREATE VIEW said_addresses AS
SELECT grp, party || '/' || nth AS source_ref, 1 AS nth, party, kind, confidential, valid_from, valid_from_mark, postcode,
       line_1, line_2, line_3, line_4, line_5
FROM (SELECT *, row_number() OVER (PARTITION BY grp, party ORDER BY record_no) AS nth FROM now_addresses);

CREATE VIEW said_cases AS
SELECT grp, source_ref, 1 AS nth, '1993' AS scheme, status, effective_date, effective_date_mark, liability_end,
       liability_end_mark, last_charged, last_charged_mark, ledger_complete, benefit_known, accuracy_query,
       source_custodian_pence, note, h.as_at
FROM now_cases c JOIN raw_headers h USING (seq);

CREATE VIEW said_benefit_periods AS
SELECT grp, source_ref, 1 AS nth, "case" AS own_case, from_date, from_date_mark, to_date, to_date_mark, benefit
FROM now_benefits;

CREATE VIEW said_liability_periods AS
SELECT a.grp, a.source_ref, row_number() OVER (PARTITION BY a.grp, a.source_ref ORDER BY a.record_no) AS nth,
       source_case_ref, c.source_ref AS own_case, row_no, from_date, from_date_mark, to_date, to_date_mark, basis,
       weekly_pence, inputs_held, net_weekly_pence, exempt_weekly_pence, children, nights_1, nights_2, nights_3, nights_4
FROM now_assessments a LEFT JOIN now_cases c ON c.grp = a.grp AND c.source_ref = a.source_case_ref;

-- One debt an owner: RP, SoS, and a third for whatever is neither (csa1993.md §4, arrears-errors.md §4).
CREATE VIEW owners AS
SELECT *, CASE owner WHEN 'MIXED' THEN 'UNKNOWN' ELSE owner END AS debt_owner FROM now_lines;

CREATE VIEW balances_of_cases AS
SELECT grp, source_ref, effective_date, 'RECEIVING_PARENT' AS legal_owner, bal_rp AS pence, susp_rp AS suspended_pence, seq
FROM now_cases
UNION ALL
SELECT grp, source_ref, effective_date, 'SECRETARY_OF_STATE', bal_sos, susp_sos, seq FROM now_cases
UNION ALL
SELECT grp, source_ref, effective_date, 'UNKNOWN', bal_unk, 0, seq FROM now_cases;

CREATE VIEW debts_there AS
SELECT * FROM balances_of_cases b
WHERE pence <> 0 OR suspended_pence <> 0
   OR EXISTS (SELECT 1 FROM owners l
              WHERE l.grp = b.grp AND l.own_case = b.source_ref AND l.debt_owner = b.legal_owner);

CREATE VIEW said_debts AS
SELECT grp, source_ref || ' ' || legal_owner AS source_ref, 1 AS nth, source_ref AS own_case, '1993' AS scheme, legal_owner,
       CASE legal_owner WHEN 'RECEIVING_PARENT' THEN 'PWC' WHEN 'SECRETARY_OF_STATE' THEN 'SECRETARY_OF_STATE' END
         AS payee_role,
       'CHILD_MAINTENANCE_ARREARS' AS kind, effective_date AS opened
FROM debts_there;

CREATE VIEW said_balances AS
SELECT grp, source_ref || ' ' || legal_owner AS source_ref, 1 AS nth, pence, suspended_pence, h.as_at
FROM debts_there JOIN raw_headers h USING (seq);

-- §4, record 40: what a line does to the balance. A reversal undoes its line, on that line's owner.
CREATE VIEW effects AS
SELECT l.*,
       CASE l.letter WHEN 'C' THEN l.amount WHEN 'R' THEN -l.amount
         WHEN 'A' THEN CASE WHEN l.adjustment IN ('SU', 'SL') THEN 0 ELSE l.amount END END AS own_effect
FROM now_lines l;

-- A line's group is that of its case: the hub's ledger is only added to, so a line keeps the group in which it first came.
CREATE VIEW said_ledger AS
SELECT CASE WHEN l.own_case IS NULL THEN l.grp END AS grp, l.source_ref, 1 AS nth, l.source_case_ref, l.own_case, l.line_no,
       CASE l.letter WHEN 'C' THEN 'LIABILITY' WHEN 'R' THEN 'RECEIPT' WHEN 'V' THEN 'REVERSAL'
         WHEN 'A' THEN CASE l.adjustment WHEN 'OB' THEN 'OPENING' WHEN 'WO' THEN 'WRITE_OFF' ELSE 'ADJUSTMENT' END
       END AS kind,
       l.owner,
       CASE WHEN l.own_case IS NOT NULL THEN
         CASE coalesce(u.owner, l.owner) WHEN 'MIXED' THEN 'UNKNOWN' ELSE coalesce(u.owner, l.owner) END END AS debt_owner,
       coalesce(l.adjustment, l.reversal) AS reason,
       CASE l.letter WHEN 'V' THEN coalesce(-u.own_effect, 0) ELSE l.own_effect END AS pence,
       CASE l.adjustment WHEN 'SU' THEN l.amount WHEN 'SL' THEN -l.amount ELSE 0 END AS suspended_pence,
       l.amount AS stored_pence,
       l.posted, l.posted_mark,
       coalesce(l.from_date, l.value_date, l.adjusted, l.undone) AS effective,
       coalesce(l.from_date_mark, l.value_date_mark, l.adjusted_mark, l.undone_mark) AS effective_mark,
       l.from_date, l.from_date_mark, l.to_date, l.to_date_mark, l.weekly_pence, l.assessment_row, l.reverses_line,
       l.authority, l.text
FROM effects l
LEFT JOIN effects u ON u.grp = l.grp AND u.source_case_ref = l.source_case_ref AND u.line_no = l.reverses_line;

CREATE VIEW said_receipts AS
SELECT grp, source_ref, 1 AS nth, source_case_ref, own_case, line_no,
       CASE WHEN payer <> 0 THEN CAST(payer AS VARCHAR) END AS payer, amount AS pence, owner, method, value_date,
       value_date_mark, bank_reference, quoted_reference, bank_status, custody
FROM now_lines WHERE letter = 'R';

CREATE VIEW said_allocations AS
SELECT grp, source_ref, 1 AS nth, own_case || ' ' || owner AS debt, amount AS pence
FROM now_lines WHERE letter = 'R' AND own_case IS NOT NULL;

CREATE VIEW said_history AS
SELECT h.grp, h.grp || '/' || coalesce(h.source_case_ref, 'all') || '/' || h.nth AS source_ref, 1 AS nth,
       h.source_case_ref, c.source_ref AS own_case, class, code, from_date, from_date_mark, to_date, to_date_mark, outcome,
       party
FROM (SELECT *, row_number() OVER (PARTITION BY grp, source_case_ref ORDER BY record_no) AS nth FROM now_history) h
LEFT JOIN now_cases c ON c.grp = h.grp AND c.source_ref = h.source_case_ref;

-- Where each row stands, in whichever file: what a row's provenance must point to.
CREATE VIEW places AS
SELECT 'groups' AS kind, seq, record_no, byte_offset, grp AS source_ref FROM raw_groups
UNION ALL SELECT 'cases', seq, record_no, byte_offset, source_ref FROM raw_cases
UNION ALL SELECT 'roles', seq, record_no, byte_offset, source_ref FROM raw_roles
UNION ALL SELECT 'parties', seq, record_no, byte_offset, party FROM raw_roles
UNION ALL SELECT 'benefit_periods', seq, record_no, byte_offset, source_ref FROM raw_benefits
UNION ALL SELECT 'liability_periods', seq, record_no, byte_offset, source_ref FROM raw_assessments
UNION ALL SELECT 'ledger', seq, record_no, byte_offset, source_ref FROM raw_lines
UNION ALL SELECT 'receipts', seq, record_no, byte_offset, source_ref FROM raw_lines WHERE letter = 'R'
UNION ALL SELECT 'allocations', seq, record_no, byte_offset, source_ref FROM raw_lines WHERE letter = 'R'
UNION ALL SELECT 'debts', seq, record_no, byte_offset, source_ref FROM raw_cases
UNION ALL SELECT 'balances', seq, record_no, byte_offset, source_ref FROM raw_cases
UNION ALL SELECT 'addresses', seq, record_no, byte_offset, NULL FROM raw_addresses
UNION ALL SELECT 'history', seq, record_no, byte_offset, NULL FROM raw_history;
