"""What people do in a story who are asked: mails that are sent, silence, the link that keeps, approvals."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from reclamation import workflow
from reclamation.asking import approve, ask, keep, resend, sweep as asking_sweep
from reclamation.models import Approval, Notice, RemovalCandidate
from reclamation.removal import sweep as removal_sweep
from reclamation.states import State
from samsaas import outbox
from samsaas.models import Mail
from tests.proofs.removals.machine import Crash, Machine

ASKED = (State.AWAITING_USER, State.AWAITING_APPROVAL)
REMOVAL_GIVES_UP = asking_sweep.REMOVAL_ENDS_AFTER


class Asking(Machine):
    """The steps of a story that have to do with questions and answers."""

    def step_minute(self) -> None:
        """What the beat does: send mails, go on with questions, and request runs. It may die or freeze."""
        self.arm_worker()
        self.arm_post()
        self.minute()
        self.disarm_worker()

    def minute(self) -> None:
        try:
            outbox.send_due(timezone.now())
            asking_sweep.run(timezone.now())
            removal_sweep.run(timezone.now())
        except Crash:
            self.watch.counters["crashes"] += 1
        self.watch.counters["letters"] = len(self.post.letters)

    def step_silence(self) -> None:
        """Nobody answers until something is due, and sometimes another thing happens meanwhile."""
        if not RemovalCandidate.objects.open().filter(state__in=ASKED).exists():
            self.step_press()
        for _ in range(self.rng.choice((1, 2, 3))):
            self.step_minute()
            if wait := self.until_asking_due():
                self.pass_time(wait + timedelta(seconds=self.rng.choice((1, 61, 4000))))
            if self.rng.random() < 0.3:
                self.tempt()
        self.world.refresh()
        self.step_minute()
        self.step_work()

    def step_press(self) -> None:
        raise NotImplementedError

    def step_work(self) -> None:
        raise NotImplementedError

    def tempt(self) -> None:
        raise NotImplementedError

    def until_asking_due(self) -> timedelta | None:
        """How long until the next mail, the end of a notice, or an overdue approval; None if nobody is asked."""
        moments = list(Mail.objects.filter(state=Mail.State.QUEUED).values_list("not_before", flat=True))
        waiting = RemovalCandidate.objects.filter(state=State.AWAITING_USER, deadline__isnull=False)
        moments += waiting.values_list("deadline", flat=True)
        unanswered = Approval.objects.filter(at=None)
        for question, asked_at, due_at in unanswered.values_list("question", "asked_at", "due_at"):
            overdue = asked_at + REMOVAL_GIVES_UP
            moments.append(overdue if question == Approval.Question.REMOVAL and due_at < timezone.now() else due_at)
        times = [one - timezone.now() for one in moments]
        return max(min(times), timedelta(0)) if times else None

    def step_keep(self) -> None:
        """A user opens the link in a mail, maybe an old one, and presses *Keep*."""
        if not self.post.letters:
            return
        letter = self.rng.choice(self.post.letters[-3:])
        until = timezone.localdate() + timedelta(days=200) if self.rng.random() < 0.3 else None
        try:
            answer = keep.run(letter.token, "I need it", until, timezone.now())
        except keep.NotKept as refusal:
            self.watch.counters[f"keep by a link that is {refusal.link.state}"] += 1
        else:
            letter.was_used = True
            self.watch.forbid(letter.external_id, "kept" if answer.granted else "wants to keep it")

    def step_decide_approval(self, most: float = 0.7) -> None:
        """An approver answers. Whoever asked for the removal tries to approve it, too."""
        for question in Approval.objects.filter(at=None).select_related("candidate"):
            if self.rng.random() < most:
                by = self.rng.choice((self.world.ann, self.world.bob, self.world.bob))
                self._decide_approval(question, self.rng.choice(Approval.Answer.values), by)

    def _decide_approval(self, question: Approval, answer: str, by: object) -> None:
        candidate, keeps = question.candidate, approve.lets_keep(question, answer)
        try:
            approve.decide(question, answer, note="", by=by, now=timezone.now())  # type: ignore[arg-type]
        except approve.NotDecided:
            self.watch.counters["decisions refused"] += 1
            return
        self.watch.happens(f"{by} lets {candidate.external_id} {'stay' if keeps else 'go'}")
        if keeps:
            self.watch.forbid(candidate.external_id, "kept")
            return
        self.world.agreed.setdefault(candidate.pk, set()).add(by.pk)  # type: ignore[attr-defined]
        self.watch.allow(candidate.external_id, "wants to keep it")

    def step_bounce(self) -> None:
        """A mail that was sent comes back."""
        for letter in self.post.letters[-2:]:
            mail = Notice.objects.get(pk=letter.notice).mail
            if mail and outbox.report_bounce(mail, by="the mail server"):
                self.watch.happens(f"bounced {letter.external_id}")
                for one in self.post.letters:
                    one.came_back |= one.notice == letter.notice

    def step_address(self) -> None:
        member = self.world.member()
        self.watch.happens(f"new address {member}")
        self.world.change_address(member)

    def step_person(self) -> None:
        member = self.world.member()
        self.watch.happens(f"another person {member}")
        self.world.change_person(member)

    def step_resume(self) -> None:
        """Somebody looks at what needs attention, and asks again or makes it ready."""
        for candidate in RemovalCandidate.objects.filter(state=State.ATTENTION_REQUIRED):
            if self.rng.random() < 0.5:
                self._resume(candidate)

    def _resume(self, candidate: RemovalCandidate) -> None:
        failed = Mail.objects.filter(state=Mail.State.FAILED, notice__candidate=candidate).last()
        try:
            if failed:
                resend.run(failed, self.world.ann, timezone.now())
            else:
                workflow.make_ready(candidate, reason="Mended", by=self.world.ann, now=timezone.now())
        except (resend.NotResent, workflow.NotAllowed, ask.NotAsked):
            self.watch.counters["resumes refused"] += 1
            return
        self.watch.happens(f"resume {candidate.external_id}")
