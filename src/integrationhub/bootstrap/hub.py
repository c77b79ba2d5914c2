"""The whole hub: the core, and what moves cases by a plan."""

from __future__ import annotations

from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import integrationhub
from integrationhub.bootstrap.core import Core
from integrationhub.errors import Conflict
from integrationhub.sdk.descriptor.answers import FEED as ANSWER_FEED
from integrationhub.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    import polars as pl

    from integrationhub.migration.checking import Surroundings
    from integrationhub.migration.evidence.pack import Attachment
    from integrationhub.migration.group_page import GroupDesk
    from integrationhub.migration.handling import Handling
    from integrationhub.migration.handover.cs2 import ReturnDocument
    from integrationhub.migration.handover.cscs import ReturnFile
    from integrationhub.migration.handover.desk import HandoverDesk
    from integrationhub.migration.parallel import DailyComparison
    from integrationhub.migration.reconcile.desk import ReconciliationDesk
    from integrationhub.migration.reconcile.engine import Reconciliation
    from integrationhub.migration.watching import Watch
    from integrationhub.pipeline import Pipeline
    from integrationhub.quarantine.desk import QuarantineDesk
    from integrationhub.store.unit_of_work import Reading
    from integrationhub.suspense.desk import SuspenseDesk


class Hub(Core):
    """One hub: its store, originals, transports, pipelines and migrations. Leaving it closes all."""

    def handling(self, plan: str, run_id: str | None = None) -> Handling:
        """A migration plan in somebody's hands: read, checked, bound to its hash. ConfigurationError, NotFound."""
        from integrationhub.migration.checking import bind
        from integrationhub.migration.handling import Handling

        return Handling(
            store=self.store,
            bound=bind(self.catalogue.plan(plan), self._surroundings()),
            arrears=self.arrears_policy,
            clock=self.clock,
            outgoing=self.settings.data_dir / "outgoing",
            run_id=run_id,
            checkpoint=self.checkpoint,
        )

    def _surroundings(self) -> Surroundings:
        """What every plan is bound to besides its own files."""
        from integrationhub.arrears.policy import FILE
        from integrationhub.migration.checking import Surroundings

        names = self.catalogue.names()
        mappings = {name: self.catalogue.mapping(self.catalogue.connector(name).connector.mappings) for name in names}
        codes = {folder.parent / "codes" for folder in mappings.values()}
        return Surroundings(
            mappings=mappings,
            paths={
                **{f"codes {place}": folder for place, folder in enumerate(sorted(filter(Path.is_dir, codes)))},
                "arrears thresholds": self.catalogue.policy(FILE),
                "code": Path(integrationhub.__file__).parent,
            },
            settings={"synthetic_identities": str(self.settings.synthetic_identities)},
        )

    @property
    def suspense(self) -> SuspenseDesk:
        """Money whose debt was not found, for those who work it."""
        from integrationhub.suspense.desk import SuspenseDesk

        return SuspenseDesk(
            store=self.store,
            environment=self.settings.environment,
            synthetic=self.settings.synthetic_identities,
            clock=self.clock,
        )

    def group_desk(self) -> GroupDesk:
        """Shows case groups with their cases, debts and history."""
        from integrationhub.migration.group_page import GroupDesk

        return GroupDesk(store=self.store, arrears=self.arrears_policy)

    def daily_comparison(self) -> DailyComparison:
        """Compares old and new balances of waves that wait for sign-off, whenever a book has come."""
        from integrationhub.migration.parallel import DailyComparison

        return DailyComparison(store=self.store, handling=self.handling)

    def watch(self) -> Watch:
        """Looks after case groups between FREEZE and CLOSE."""
        from integrationhub.migration.watching import Watch

        return Watch(store=self.store, arrears=self.arrears_policy, clock=self.clock)

    def handover(self) -> HandoverDesk:
        """Hands files to the source systems."""
        from integrationhub.migration.handover.desk import HandoverDesk

        return HandoverDesk(
            store=self.store,
            originals=self.originals,
            outgoing=self.settings.data_dir / "outgoing",
            writers={
                descriptor.connector.source_system: self._returns(descriptor.name)
                for descriptor in map(self.catalogue.connector, self.catalogue.names())
                if descriptor.answers is not None
            },
            clock=self.clock,
            checkpoint=self.checkpoint,
        )

    def _returns(self, connector: str) -> ReturnFile | ReturnDocument:
        """Writes and reads the return files of a connector that has answers."""
        from integrationhub.migration.handover.cs2 import ReturnDocument
        from integrationhub.migration.handover.cscs import ReturnFile

        descriptor = self.catalogue.connector(connector)
        assert descriptor.answers is not None
        layout = descriptor.text_of(descriptor.answers.layout).decode()
        return ReturnFile(layout) if descriptor.answers.layout.endswith(".cpy") else ReturnDocument(layout)

    def answers(self, name: str) -> Pipeline | None:
        """The pipeline of a connector's answer files; None for a connector that has none."""
        descriptor = self.catalogue.connector(name)
        if descriptor.answers is None:
            return None
        from integrationhub.intake.measure import no_header
        from integrationhub.migration.handover.answers import AnswerLoader, AnswerStager
        from integrationhub.pipeline import Pipeline

        reader, own = self._returns(descriptor.name), descriptor.of_answers()
        return Pipeline(
            descriptor=own,
            header_of=no_header,
            stager=AnswerStager(reader=reader),
            loader=AnswerLoader(
                descriptor=own,
                reader=reader,
                originals=self.originals,
                take=self.watch().answers,
                environment=self.settings.environment,
                checkpoint=self.checkpoint,
            ),
            store=self.store,
            originals=self.originals,
            work_folder=self.settings.data_dir / "work",
            synthetic_identities=self.settings.synthetic_identities,
            clock=self.clock,
        )

    def pipeline(self, name: str) -> Pipeline:
        """The pipeline of a connector, by its name or an alias; also that of a feed of answers, by its own name."""
        answering = {ANSWER_FEED.format(connector=owner): owner for owner in self.catalogue.names()}
        found = self.answers(answering[name]) if name in answering and name not in self.catalogue.names() else None
        return found or super().pipeline(name)

    def reconciliation(self, names: Sequence[str] = ()) -> ReconciliationDesk:
        """Compares what is stored with the kept originals, on a path of its own: of these connectors, or all."""
        from integrationhub.migration.reconcile.desk import ReconciliationDesk

        connectors = [self.catalogue.connector(name).connector for name in names or self.catalogue.names()]
        return ReconciliationDesk(
            store=self.store,
            open_original=self.originals.open,
            connectors={item.source_system: item.name for item in connectors},
            work_folder=self.settings.data_dir / "work",
            synthetic_identities=self.settings.synthetic_identities,
        )

    def write_evidence(
        self, handling: Handling, reconciled: Sequence[Reconciliation], out: Path, key: Path | None = None
    ) -> tuple[str, Path]:
        """Write a run's evidence pack; its manifest's SHA-256, and where the public key lies.

        Without a key the hub's own signs, which is made in the data directory when it is first needed.
        """
        from integrationhub.migration.evidence.gather import sections
        from integrationhub.migration.evidence.pack import attached, write_pack
        from integrationhub.migration.evidence.signing import PUBLIC_NAME, Signer

        folder = self.settings.data_dir / "keys"
        signer = Signer.of_file(key) if key else Signer.made_in(folder)
        with self.store.begin() as work:
            files = work.handover.files()
        plan = self.catalogue.plan(handling.bound.name)
        attachments: dict[str, Attachment] = {
            **{f"outgoing/{row.system.lower()}/{row.name}": partial(self.originals.open, row.sha256) for row in files},
            **{f"plan/{path.name}": attached(path) for path in plan.iterdir() if path.is_file()},
        }
        title = f"Transfer evidence: {handling.bound.plan.plan.title}"
        digest = write_pack(
            out, title=title, sections=sections(handling, reconciled), attachments=attachments, signer=signer
        )
        public = folder / PUBLIC_NAME
        if key is not None:
            public = out.parent / f"{out.name}.pub.pem"
            public.write_bytes(signer.public_pem())
        return digest, public

    def judged_rows(self, connection: Reading, as_at: date | None) -> dict[str, Callable[[], Iterator[pl.DataFrame]]]:
        """Exports that show verdicts and what transfers have changed, by name, as at a day."""
        from integrationhub.arrears.rows import Rows
        from integrationhub.migration.exports import AfterTransfers
        from integrationhub.store.exports import benefit_debts

        rows = Rows(connection, self.arrears_policy, as_at=as_at)
        moved = AfterTransfers(connection, as_at)
        return {
            "arrears": lambda: moved.arrears(rows.arrears()),
            "balances": rows.balances,
            "case_events": rows.case_events,
            "debts": lambda: chain(moved.debts(rows.debts()), benefit_debts(connection)),
            "transfers": moved.entries,
        }

    def judge_waiting(self) -> bool:
        """Judge what has changed; False when another process is judging, which may or may not come to it.

        Waves that run in parallel with a new book are compared with it; then case groups that have moved and are not
        what they were go back to their sources at once.
        """
        try:
            judged = self.judging().run()
        except Conflict as exc:
            logger().info("judging_elsewhere", reason=exc.code)
            return False
        self.daily_comparison().compare_due()
        self.watch().look(new_verdicts=judged.cases > 0)
        return True

    @cached_property
    def quarantine(self) -> QuarantineDesk:
        """The quarantine, for people and rules."""
        from integrationhub.quarantine.desk import QuarantineDesk

        return QuarantineDesk.over(self)
