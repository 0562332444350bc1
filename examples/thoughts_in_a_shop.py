"""An agent that thinks in words, taught from nothing on two cores in a few minutes.

Two small language models are fitted to plays in a shop of words: one to what comes of commands (the
experience model of recipe `dreamgym`), one to what a scripted customer would say to the questions
of `plan`, `react` and `look_ahead`. Then the script is gone: the second model plans, thinks and
chooses, and looks ahead in the imagination of the first, for customers it has not met.

    python examples/thoughts_in_a_shop.py --out runs/thoughts
"""

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import tyro

from mindseye.agents.language.agent import Asking, LanguageAgent, Question, within
from mindseye.agents.language.look_ahead import look_ahead
from mindseye.agents.language.thoughts import plan, react, situation
from mindseye.agents.shopping import ScriptedShopper
from mindseye.core.episode import Origin
from mindseye.core.run import Run
from mindseye.evaluation.transcripts import narrate
from mindseye.experience import rollout
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.models.language.small import SmallLanguageModel, texts_of
from mindseye.models.language.words import Vocabulary
from mindseye.recipes import dreamgym
from mindseye.stages.words import fit_to_steps
from mindseye.worlds import make

TASK = re.compile(r"Task: buy a (\w+) (\w+) (\w+)(?:, (\w+))?(?:, for at most (\d+))?\.")
ITEM = re.compile(r"Item (\d+): (\w+) (\w+) \w+, (\d+)\.")
OFFER = re.compile(r"(\d+) (\w+) (\w+) (\d+)[;.]")


@dataclass
class Args:
    out: Path = Path("runs/thoughts")
    """Folder of the run; what is fitted there is not fitted again."""
    seed: int = 100
    """Of everything random."""
    lessons: int = 3_000
    """Steps of play that questions and answers are taken from."""
    updates: int = 600
    """Of the model that is taught, 16 lessons each."""
    episodes: int = 32
    """Of every test."""


def answer(messages) -> str:
    """What the customer would say: told from the question's own text."""
    before, _, rest = messages[-1]["content"].rpartition("Task: ")
    text, _, question = f"Task: {rest}".rpartition("\nquestion: ")
    seen = tuple(item for item, *_ in ITEM.findall(before))
    (command,), *_ = ScriptedShopper().act([text], [seen])
    task = TASK.match(text)
    assert task is not None
    colour, material, kind, size, limit = task.groups()
    wanted = f"{colour} {material}" + (f" for at most {limit}" if limit else "")
    if question.startswith("which sub-goals"):
        last = f"; choose {size}; buy it" if size else "; buy it"
        return f"look for {colour} {kind}; open what is {wanted}{last}"
    if question.startswith("is the task"):
        found = [o[1:] for o in (*ITEM.findall(text), *OFFER.findall(text))]
        return "yes" if any(fits(o, colour, material, limit) for o in found) else "no"
    if question.startswith("what matters"):
        verb, _, thing = command.partition(" ")
        told = {
            "search": f"{thing} has to be found.",
            "choose": f"it has to be {thing}.",
            "buy": "all is as it was asked for.",
        }
        told["click"] = told["back"] = compared(text, seen, (colour, material, limit), wanted)
        return told[verb]
    return command


def compared(text: str, seen, task, wanted: str) -> str:
    """Offers one by one until one fits; what is compared stands side by side, so it is learned."""
    verdicts = []
    for item, *offer in OFFER.findall(text):
        is_right = item not in seen and fits(offer, *task)
        verdict = "yes" if is_right else "seen" if item in seen else "no"
        verdicts.append(f"{item} {' '.join(offer)} {verdict}")
        if is_right:
            break
    return f"{wanted}? {'; '.join(verdicts) or 'not here'}."


def fits(offer, colour: str, material: str, limit: str | None) -> bool:
    """Whether an offer is what was asked for, as far as a list shows."""
    its_colour, its_material, price = offer
    is_cheap = limit is None or int(price) <= int(limit)
    return (its_colour, its_material) == (colour, material) and is_cheap


def lessons(shop, steps: int, seed: int) -> list:
    """Questions of the thoughts with the customer's answers, in plays that are half by chance."""
    teacher, rng = ScriptedLanguageModel(answer), np.random.default_rng(seed)

    def wander(minds, ask):
        """Asks about the present place, then does anything now and then."""
        ask(minds, [[Question("promise", situation(mind), ("yes", "no"))] for mind in minds])
        for mind in minds:
            if rng.random() < 0.1:
                mind.command = str(rng.choice(list(mind.admissible)))

    agent = LanguageAgent(Asking(teacher), [plan, react, wander])
    rollout(agent, shop, origin=Origin("real", "text/shop"), steps=steps, seed=seed)
    return [(messages, answer(messages)) for messages in teacher.heard]


def main(args: Args) -> None:
    """Fit both, then let the agent shop with and without looking ahead."""
    config = replace(dreamgym.PRESETS["cpu"], seed=args.seed)
    with Run(args.out, name="thoughts", config=asdict(config), seed=args.seed) as record:
        shop = make("text/shop", 16, catalogue=args.seed)
        steps = dreamgym.steps_of(dreamgym.gather(config, record, shop), "known")
        dream = dreamgym.experience_model(config, record, "dream", steps, reasons=True)
        taught = lessons(shop, args.lessons, record.seed_for("lessons") % 2**30)
        record.seed_torch("thoughts")
        words = Vocabulary.of(texts_of(taught), share=dreamgym.RARE).words
        language = SmallLanguageModel(Vocabulary(words), units=96, layers=3, heads=4)
        nothing = [False] * len(taught)
        fit_to_steps(
            record, "thoughts/fit", language, taught, nothing, updates=args.updates, batch=16
        )
        print(f"{len(taught)} questions and answers were learned")
        for name, thoughts in {
            "react": [react],
            "plan, react": [plan, react],
            "plan, look_ahead, react": [plan, within(20, look_ahead(dream)), react],
        }.items():
            agent = LanguageAgent(Asking(language), thoughts)
            world = make("text/shop", args.episodes, catalogue=args.seed)
            origin = Origin("real", "text/shop", agent=name)
            seed = record.seed_for("test") % 2**30
            played = rollout(agent, world, origin=origin, episodes=args.episodes, seed=seed)
            paid = np.mean([episode.total_reward for episode in played])
            path = args.out / f"{name.replace(', ', '+')}.txt"
            path.write_text("\n".join(narrate(episode) for episode in played[:4]))
            print(f"{name}: {paid:.2f} of {args.episodes} episodes fulfilled; to read: {path}")


if __name__ == "__main__":
    main(tyro.cli(Args))
