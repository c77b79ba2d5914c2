-- Control totals on both sides: rows of what matters, and pence by owner (arrears-errors.md §4, csa1993.md §6).
WITH both_sides AS (
  SELECT 'cases' AS name, 'count' AS unit, 1 AS place, (SELECT count(*) FROM said_cases) AS said,
         (SELECT count(*) FROM held_cases) AS held
  UNION ALL
  SELECT 'debts', 'count', 2, (SELECT count(*) FROM said_debts), (SELECT count(*) FROM held_debts)
  UNION ALL
  SELECT 'outstanding, ' || lower(replace(owner, '_', ' ')), 'pence', 3,
         (SELECT sum(pence) FROM said_balances WHERE ends_with(source_ref, ' ' || owner)),
         (SELECT sum(pence) FROM held_balances WHERE ends_with(source_ref, ' ' || owner))
  FROM (VALUES ('RECEIVING_PARENT'), ('SECRETARY_OF_STATE'), ('UNKNOWN')) AS owners(owner)
  UNION ALL
  SELECT 'suspended', 'pence', 4, (SELECT sum(suspended_pence) FROM said_balances),
         (SELECT sum(suspended_pence) FROM held_balances)
  UNION ALL
  SELECT 'custodian cash', 'pence', 5, (SELECT sum(source_custodian_pence) FROM said_cases),
         (SELECT sum(source_custodian_pence) FROM held_cases)
)
SELECT name, unit, said, held FROM both_sides ORDER BY place, name
