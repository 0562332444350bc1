"""Pictures of MuJoCo worlds, hundreds to thousands per second without a graphics card.

Rendering in software is slow by its defaults alone: shadows, multisampling and backdrops are left
out, and one renderer is kept for all pictures.
"""

import atexit
import importlib
import os
import sys
import weakref
from ctypes.util import find_library
from typing import Any

import numpy as np

from mindseye.core.errors import MissingExtra, WorldError

_COSTLY = ("SHADOW", "REFLECTION", "SKYBOX", "HAZE", "FOG")
_OFFSCREEN = {"egl": "EGL", "osmesa": "OSMesa"}
"""Values of MUJOCO_GL that need no screen, and the system's libraries for them."""


def mujoco() -> Any:
    """The library; off-screen graphics, or none where there are none, unless some were chosen.

    Raises:
        MissingExtra: If it is not installed.
        WorldError: If the chosen graphics are not here.
    """
    if sys.platform == "linux" and "MUJOCO_GL" not in os.environ:
        here = [name for name, library in _OFFSCREEN.items() if find_library(library)]
        os.environ["MUJOCO_GL"] = here[0] if here else "off"
    try:
        import mujoco
        import mujoco.rollout
    except ModuleNotFoundError as error:
        raise MissingExtra("mujoco", "suite") from error
    except (AttributeError, ImportError, OSError, RuntimeError) as error:
        raise no_graphics(error) from error
    return mujoco


def no_graphics(error: Exception) -> WorldError:
    """What to do where pictures cannot be drawn."""
    chosen, cause = os.environ.get("MUJOCO_GL"), str(error).splitlines() or [type(error).__name__]
    return WorldError(
        f"mujoco: no pictures with MUJOCO_GL={chosen} ({cause[0]}); install libegl1, libgl1 and"
        " libgl1-mesa-dri for MUJOCO_GL=egl, or libosmesa6 for MUJOCO_GL=osmesa"
    )


class MujocoView:
    """A camera that looks at one MuJoCo model.

    Args:
        model: `mujoco.MjModel`; its quality of rendering is lowered in place.
        size: Pixels per side.
        camera: By number.

    Raises:
        MissingExtra: If MuJoCo is not installed.
        WorldError: If nothing can be drawn here.
    """

    def __init__(self, model: Any, *, size: int, camera: int = 0):
        library = mujoco()
        model.vis.quality.shadowsize = model.vis.quality.offsamples = 0
        chosen = os.environ.get("MUJOCO_GL")
        try:
            # MuJoCo chose when it was imported, which may have been before this was asked for
            home = f"mujoco.{chosen if chosen in _OFFSCREEN else 'gl_context'}"
            library.gl_context.GLContext = importlib.import_module(home).GLContext
            renderer: Any = library.Renderer(model, size, size)
        except (AttributeError, ImportError, OSError, RuntimeError, library.FatalError) as error:
            raise no_graphics(error) from error
        for name in _COSTLY:
            renderer.scene.flags[getattr(library.mjtRndFlag, f"mjRND_{name}")] = 0
        self._renderer, self._camera = renderer, camera
        # at exit it must be closed before the graphics are, so not whenever weakref thinks
        close = weakref.finalize(self, renderer.close)
        close.atexit = False
        atexit.register(close)

    def frame(self, data: Any) -> np.ndarray:
        """How `mujoco.MjData`, its positions computed, looks: uint8 (size, size, 3)."""
        self._renderer.update_scene(data, camera=self._camera)
        return self._renderer.render()
