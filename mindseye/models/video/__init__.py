"""Parts of worlds that are video: frames to tokens and back, and conditioning on actions."""

from mindseye.models.video.adapter import ActionAdapter, motion_weight
from mindseye.models.video.tokenizer import VideoTokenizer

__all__ = ["ActionAdapter", "VideoTokenizer", "motion_weight"]
