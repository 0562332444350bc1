"""The 44 published systems, as data. A system is built when the module of its slug exists."""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class System:
    """One published system."""

    number: int
    slug: str
    title: str
    paper: str
    """Full title and year."""
    arxiv: str
    summary: str

    @property
    def is_built(self) -> bool:
        """Whether a recipe of this slug exists here; nothing is imported to find out."""
        return find_spec(f"mindseye.recipes.{self.slug}") is not None


SYSTEMS = (
    System(
        1,
        "dws",
        "DWS",
        "Pre-Trained Video Generative Models as World Simulators (2025)",
        "2502.07825",
        "Two small layers per block and a loss on what moves turn a video generator into a world "
        "that obeys actions.",
    ),
    System(
        2,
        "dreamer4",
        "Dreamer 4",
        "Training Agents Inside of Scalable World Models (2025)",
        "2509.24527",
        "A fast transformer world model, learned from fixed data, in whose imagination an agent "
        "learns long tasks.",
    ),
    System(
        3,
        "rig",
        "RIG",
        "RIG: Synergizing Reasoning and Imagination in End-to-End Generalist Policy (2025)",
        "2503.24388",
        "One policy that writes its reasoning, picks an action and draws the next image, and looks "
        "ahead before acting.",
    ),
    System(
        4,
        "creative_agents",
        "Creative Agents",
        "Creative Agents: Empowering Agents with Imagination for Creative Tasks (2023)",
        "2312.02519",
        "An imaginator pictures in detail what a vague instruction could mean; a controller then "
        "builds it.",
    ),
    System(
        5,
        "atd",
        "Adaptive Text Dreamer",
        "Cross from Left to Right Brain: Adaptive Text Dreamer for Vision-and-Language Navigation "
        "(2025)",
        "2505.20897",
        "A navigator that imagines what lies ahead in words instead of pictures, with one branch "
        "for logic and one for foresight.",
    ),
    System(
        6,
        "avic",
        "AVIC",
        "When and How Much to Imagine: Adaptive Test-Time Scaling with World Models for Visual "
        "Spatial Reasoning (2026)",
        "2602.08236",
        "A gate that asks whether what is seen suffices before it pays for imagined views.",
    ),
    System(
        7,
        "dropout_dreamland",
        "Dropout's Dream Land",
        "Dropout's Dream Land: Generalization from Learned Simulators to Reality (2021)",
        "2109.08342",
        "Every dropout mask of a world model is another dream; a controller trained across them "
        "transfers better.",
    ),
    System(
        8,
        "imaginebench",
        "ImagineBench",
        "ImagineBench: Evaluating Reinforcement Learning with Large Language Model Rollouts (2025)",
        "2505.10010",
        "Offline learners on real episodes plus episodes written by a language model, tested by "
        "how new the task is.",
    ),
    System(
        9,
        "rlzero",
        "RL Zero",
        "RL Zero: Zero-Shot Language to Behaviors without any Supervision (2024)",
        "2412.05718",
        "Imagine what an instruction would look like, find the nearest states ever seen, imitate "
        "them in closed form.",
    ),
    System(
        10,
        "dreamgym",
        "DreamGym",
        "Scaling Agent Learning via Experience Synthesis (2025)",
        "2511.03773",
        "A language model that reasons out what happens next stands in for a costly world while "
        "an agent learns.",
    ),
    System(
        11,
        "mindstores",
        "MINDSTORES",
        "MINDSTORES: Memory-Informed Neural Decision Synthesis for Task-Oriented Reinforcement in "
        "Embodied Systems (2025)",
        "2501.19318",
        "A planner that keeps what it tried and what came of it, and recalls the nearest cases "
        "before the next plan.",
    ),
    System(
        12,
        "imaginenav",
        "ImagineNav",
        "ImagineNav: Prompting Vision-Language Models as Embodied Navigator through Scene "
        "Imagination (2024)",
        "2410.09874",
        "Navigation without a map: imagine the view from promising places and walk to the best "
        "picture.",
    ),
    System(
        13,
        "s4wm",
        "S4WM",
        "Facing Off World Model Backbones: RNNs, Transformers, and S4 (2023)",
        "2307.02064",
        "Recurrent, attending and state-space memories of a world model, compared on how far back "
        "they recall.",
    ),
    System(
        14,
        "dyna_mind",
        "Dyna-Mind",
        "Dyna-Mind: Learning to Simulate from Experience for Better AI Agents (2025)",
        "2510.09577",
        "Search trees from real interaction become reasoning that simulates, sharpened by rewards "
        "and seen outcomes.",
    ),
    System(
        15,
        "rocket3",
        "ROCKET-3",
        "Scalable Multi-Task Reinforcement Learning for Generalizable Spatial Intelligence in "
        "Visuomotor Agents (2025)",
        "2507.23698",
        "Goals are pointed out in somebody else's view; many synthesised tasks teach skills that "
        "carry to unseen worlds.",
    ),
    System(
        16,
        "mb_generalization",
        "Model-based generalization",
        "The Benefits of Model-Based Generalization in Reinforcement Learning (2022)",
        "2211.02222",
        "When does a learned model beat replay of the same data? When the world is made of parts "
        "it can recombine.",
    ),
    System(
        17,
        "world4rl",
        "World4RL",
        "World4RL: Diffusion World Models for Policy Refinement with Reinforcement Learning for "
        "Robotic Manipulation (2025)",
        "2509.19080",
        "A frozen diffusion world in which an imitated robot policy is refined by rewards before "
        "it meets reality.",
    ),
    System(
        18,
        "pangu_agent",
        "Pangu-Agent",
        "Pangu-Agent: A Fine-Tunable Generalist Agent with Structured Reasoning (2023)",
        "2312.14878",
        "An agent's thinking as a set of functions on its memory, tuned by imitation and then by "
        "rewards.",
    ),
    System(
        19,
        "simscale",
        "SimScale",
        "SimScale: Learning to Drive via Real-World Simulation at Scale (2025)",
        "2511.23369",
        "Driving logs are perturbed and replayed with an artificial expert; real and simulated "
        "driving are learned together.",
    ),
    System(
        20,
        "adora",
        "ADORA",
        "ADORA: Training Reasoning Models with Dynamic Advantage Estimation on Reinforcement "
        "Learning (2026)",
        "2602.10019",
        "Weights of advantages follow how useful each example is just now, instead of staying "
        "fixed.",
    ),
    System(
        21,
        "cel",
        "Cogito, Ergo Ludo",
        "Cogito, Ergo Ludo: An Agent that Learns to Play by Reasoning and Planning (2025)",
        "2509.25052",
        "A player that writes down the rules it infers and the strategies that work, and improves "
        "both after every game.",
    ),
    System(
        22,
        "early_experience",
        "Early Experience",
        "Agent Learning via Early Experience (2025)",
        "2510.08558",
        "Before any reward: learn from what one's own actions lead to, by predicting it and by "
        "reflecting on it.",
    ),
    System(
        23,
        "words_as_beacons",
        "Words as Beacons",
        "Words as Beacons: Guiding RL Agents with High-Level Language Prompts (2024)",
        "2410.08632",
        "A language model proposes subgoals while an agent trains on sparse rewards; it is not "
        "needed afterwards.",
    ),
    System(
        24,
        "genex",
        "GenEx",
        "GenEx: Generating an Explorable World (2024)",
        "2412.09624",
        "A panoramic world grown from a single picture, explored in imagination before deciding.",
    ),
    System(
        25,
        "ctrl_world",
        "Ctrl-World",
        "Ctrl-World: A Controllable Generative World Model for Robot Manipulation (2025)",
        "2510.10125",
        "A video world of several cameras with memory, good enough to rank robot policies and to "
        "improve them.",
    ),
    System(
        26,
        "vision_zero",
        "Vision-Zero",
        "Vision-Zero: Scalable VLM Self-Improvement via Strategic Gamified Self-Play (2025)",
        "2509.25541",
        "Finding the odd one out among players who see different pictures teaches looking, with "
        "no labels.",
    ),
    System(
        27,
        "policy_guided_diffusion",
        "Policy-Guided Diffusion",
        "Policy-Guided Diffusion (2024)",
        "2404.06356",
        "Whole episodes drawn by diffusion and steered towards the policy being learned, as data "
        "for offline learners.",
    ),
    System(
        28,
        "think_in_games",
        "Think in Games",
        "Think in Games: Learning to Reason in Games via Reinforcement Learning with Large "
        "Language Models (2025)",
        "2508.21365",
        "A language model learns to say what to do in a game state and why, from what really was "
        "done.",
    ),
    System(
        29,
        "history_offline_rl",
        "Offline RL with histories",
        "Offline RL with Observation Histories: Analyzing and Improving Sample Complexity (2023)",
        "2310.20663",
        "Compressing histories by what matters for return lets offline learners stitch episodes "
        "where much is hidden.",
    ),
    System(
        30,
        "starling",
        "STARLING",
        "STARLING: Self-supervised Training of Text-based Reinforcement Learning Agent with Large "
        "Language Models (2024)",
        "2406.05872",
        "A language model writes text games from ideas; practising on them prepares for games of "
        "others.",
    ),
    System(
        31,
        "knowledge_agents",
        "Knowledge-enhanced agents",
        "Knowledge-enhanced Agents for Interactive Text Games (2023)",
        "2305.05091",
        "What objects are good for and which actions were right before, handed to learners of "
        "text games.",
    ),
    System(
        32,
        "video_models_robotics",
        "Video models in robotics",
        "Video Generation Models in Robotics: Applications, Research Challenges, Future "
        "Directions (2026)",
        "2601.07823",
        "A survey: kinds of video worlds and the ways to measure their pictures, physics and use.",
    ),
    System(
        33,
        "craft_gui",
        "CRAFT-GUI",
        "CRAFT-GUI: Curriculum-Reinforced Agent For GUI Tasks (2025)",
        "2508.11360",
        "Interface tasks from easy to hard, with rewards made of several parts.",
    ),
    System(
        34,
        "polychromic",
        "Polychromic objectives",
        "Polychromic Objectives for Reinforcement Learning (2025)",
        "2509.25424",
        "Sets of attempts are rewarded for being good and different, so that a policy keeps its "
        "range.",
    ),
    System(
        35,
        "sc2le",
        "SC2LE",
        "StarCraft II: A New Challenge for Reinforcement Learning (2017)",
        "1708.04782",
        "Small battle games with layered maps and functions as actions, for learners of "
        "real-time strategy.",
    ),
    System(
        36,
        "gen2sim",
        "Gen2Sim",
        "Gen2Sim: Scaling up Robot Learning in Simulation with Generative Models (2023)",
        "2310.18308",
        "Generated objects, tasks, steps and rewards make a simulator in which robots learn long "
        "chores.",
    ),
    System(
        37,
        "spring",
        "SPRING",
        "SPRING: GPT-4 Out-performs RL Algorithms by Studying Papers and Reasoning (2023)",
        "2305.15486",
        "A language model reads a game's paper, walks a graph of questions at every step, and "
        "plays untrained.",
    ),
    System(
        38,
        "adversarial_surprise",
        "Adversarial Surprise",
        "Explore and Control with Adversarial Surprise (2021)",
        "2107.07394",
        "Two policies take turns in one body: one seeks surprise, the other calm, and skills "
        "emerge.",
    ),
    System(
        39,
        "pybullet_drones",
        "gym-pybullet-drones",
        "Learning to Fly: a Gym Environment with PyBullet Physics for Reinforcement Learning of "
        "Multi-agent Quadcopter Control (2021)",
        "2103.02142",
        "Quadcopters, alone and together, with physics for controllers and for learners.",
    ),
    System(
        40,
        "dino_wm",
        "DINO-WM",
        "DINO-WM: World Models on Pre-trained Visual Features enable Zero-shot Planning (2024)",
        "2411.04983",
        "Predict frozen visual features instead of pixels, and plan towards the features of a "
        "goal image.",
    ),
    System(
        41,
        "onelife",
        "OneLife",
        "One Life to Learn: Inferring Symbolic World Models for Stochastic Environments from "
        "Unguided Exploration (2025)",
        "2510.12088",
        "A world's laws as little programs with preconditions, weighed by how well they explain a "
        "single life.",
    ),
    System(
        42,
        "rlinf_co",
        "RLinf-Co",
        "RLinf-Co: Reinforcement Learning-Based Sim-Real Co-Training for VLA Models (2026)",
        "2602.12628",
        "Imitate real and simulated robots, then learn from rewards in simulation while real data "
        "hold the policy in place.",
    ),
    System(
        43,
        "safe_rl_min_supervision",
        "Safe RL with minimal supervision",
        "Safe Reinforcement Learning with Minimal Supervision (2025)",
        "2501.04481",
        "A safe set learned without labels, widened by cautious optimism, for exploring without "
        "harm.",
    ),
    System(
        44,
        "loop",
        "LOOP",
        "Reinforcement Learning for Long-Horizon Interactive LLM Agents (2025)",
        "2502.01600",
        "Long tool-using tasks learned without a value network: every attempt is measured against "
        "its siblings.",
    ),
)
