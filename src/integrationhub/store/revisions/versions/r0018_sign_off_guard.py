"""A wave may have groups of several approvals: none of those who rehearsed them may sign it off."""

from alembic import op

revision = "0018"
down_revision = "0017"

_OWN_REHEARSAL = """
SELECT 1 FROM transfer_rehearsals AS r
INNER JOIN transfer_groups AS g ON g.run_id = r.run_id AND g.wave = r.wave AND g.plan_hash = r.plan_hash
WHERE r.run_id = NEW.run_id AND r.wave = NEW.wave AND g.state = 'LOADED'
    AND lower(trim(r.rehearsed_by)) = lower(trim(NEW.signed_by))
"""


def upgrade() -> None:
    """Create the guard."""
    if op.get_bind().dialect.name != "postgresql":
        op.execute(
            "CREATE TRIGGER transfer_sign_offs_own BEFORE INSERT ON transfer_sign_offs "
            f"WHEN EXISTS ({_OWN_REHEARSAL}) BEGIN SELECT RAISE(ABORT, 'signer has rehearsed this'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION transfers_second_signer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF EXISTS ({_OWN_REHEARSAL}) THEN RAISE EXCEPTION 'signer has rehearsed this' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER transfer_sign_offs_own BEFORE INSERT ON transfer_sign_offs "
        "FOR EACH ROW EXECUTE FUNCTION transfers_second_signer()"
    )
