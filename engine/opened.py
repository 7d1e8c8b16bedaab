"""The parts of an open memory: base model, store and slot, and what keeps them from opening."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.api import EngramError, MemoryCorrupt, WrongBaseModel
from engine.backing import MemoryFactory, Model, SlowMemory
from engine.store.errors import MemoryDamaged
from engine.store.home import Home
from engine.store.lock import MemoryLock
from engine.store.store import Store

_log = logging.getLogger(__name__)

T = TypeVar("T")

FELL_BACK = "The graphics card ran out of memory, so Engram goes on with the processor."


class OpenMemory:
    """Opens, reloads and closes. Only the engine's thread touches it.

    Attributes:
        trouble: why the memory cannot be used, None if it can.
        offered: id of the snapshot that would mend the trouble, "" for none.
        fell_back: a sentence, where the accelerator had to be given up.
    """

    def __init__(
        self, root: Path, memory_factory: MemoryFactory, clock: Callable[[], float]
    ) -> None:
        self.home = Home(root)
        self.trouble: EngramError | None = None
        self.offered = ""
        self.fell_back = ""
        self._factory = memory_factory
        self._clock = clock
        self._store: Store | None = None
        self._model: Model | None = None
        self._memory: SlowMemory | None = None

    # --- opening and closing ---------------------------------------------------------------------

    def open(self, device: str, go_on: Callable[[], bool] = lambda: True) -> None:
        """Open model, store and slot; where that fails, `trouble` says why.

        Args:
            device: what `Settings.device` says.
            go_on: asked once the model is there and nothing else is held yet; False ends it.
        """
        try:
            self._refuse_locked()
            self._model = self._factory(device)
        except EngramError as error:
            self._set_trouble(error)
            return
        if not go_on():
            return
        self._try_to_open(self._model.identity)

    def _try_to_open(self, identity: str) -> None:
        try:
            self._take_over(Store.open(self.home.root, identity, clock=self._clock))
        except EngramError as error:
            self._set_trouble(error)

    def recover(self, snapshot: str) -> None:
        """Open a damaged memory at a snapshot; "" for an empty one, whose notes wait.

        Raises:
            EngramError: it could not be done; what is offered now may be another snapshot.
        """
        root, clock, identity = self.home.root, self._clock, self.model.identity
        self.close()
        try:
            self._take_over(Store.recover(root, identity, snapshot, clock=clock))
        except EngramError:
            self._try_to_open(identity)
            raise

    def open_emptied(self) -> None:
        """Open a memory whose slot cannot be used, with an empty slot in RAM in its place.

        For a rebuild, also of a memory that another base model wrote.

        Raises:
            EngramError: it could not be done.
        """
        identity = self.model.identity
        if self._store is None:
            root, clock = self.home.root, self._clock
            self._store = Store.open(root, identity, accept_other_model=True, clock=clock)
        self._memory = self.model.fresh()
        self.trouble, self.offered = None, ""

    def close(self) -> None:
        """Close the store and give the lock back."""
        store, self._store, self._memory = self._store, None, None
        if store is not None:
            store.close()

    def _refuse_locked(self) -> None:
        """Before the model, which takes seconds: a memory in use is refused at once."""
        if not self.home.root.is_dir():
            return
        lock = MemoryLock(self.home.lock)
        try:
            lock.acquire()
        except OSError:
            return  # Store.open says what is wrong with the folder
        lock.release()

    def _take_over(self, store: Store) -> None:
        self._store = store
        self._memory = self._load_memory()
        self.trouble, self.offered = None, ""

    def _set_trouble(self, error: EngramError) -> None:
        _log.error("the memory cannot be used: %s", type(error).__name__)
        self.trouble = error
        self.offered = ""
        if isinstance(error, MemoryDamaged):
            self.offered = error.offered_snapshot
        elif isinstance(error, MemoryCorrupt) and self._store is not None:
            self.offered = self._newest_good(self._store)

    def _newest_good(self, store: Store) -> str:
        for snapshot in store.snapshots():
            try:
                store.snapshot_slot(snapshot.id)
            except EngramError:
                continue
            return snapshot.id
        return ""

    @property
    def may_rebuild(self) -> bool:
        """Whether the trouble is one that writing everything anew would end."""
        return self.has_model and isinstance(self.trouble, MemoryCorrupt | WrongBaseModel)

    # --- what is open ----------------------------------------------------------------------------

    @property
    def has_store(self) -> bool:
        """Whether the store is open, perhaps without a slot that can be used."""
        return self._store is not None

    @property
    def has_memory(self) -> bool:
        """Whether there is a slot to work with."""
        return self._memory is not None

    @property
    def has_model(self) -> bool:
        """Whether the base model is open."""
        return self._model is not None

    @property
    def store(self) -> Store:
        """The open store. Raises: the trouble, where there is none."""
        if self._store is None:
            raise self._why_not()
        return self._store

    @property
    def model(self) -> Model:
        """The base model. Raises: the trouble, where there is none."""
        if self._model is None:
            raise self._why_not()
        return self._model

    @property
    def memory(self) -> SlowMemory:
        """The slot in RAM: the one in force, but for a change that is about to be committed."""
        if self._memory is None:
            raise self._why_not()
        return self._memory

    def _why_not(self) -> EngramError:
        return self.trouble or EngramError("The memory is not open.")

    def reload(self) -> None:
        """Take the slot in force from the disk again.

        Raises:
            EngramError: it cannot be had, which is the trouble from now on.
        """
        self._memory = None
        try:
            self._memory = self._load_memory()
        except EngramError as error:
            self._set_trouble(error)
            raise

    def mended(self) -> None:
        """Take the slot that is in force now; with it the trouble is over. Raises as `reload`."""
        self.reload()
        self.trouble, self.offered = None, ""

    def use_device(self, device: str) -> None:
        """Go on with the same base model on another device.

        Raises:
            EngramError: everything is as it was.
        """
        before = self._model, self._memory
        try:
            self._model = self._factory(device)
            self._memory = self._load_memory()
        except BaseException:
            self._model, self._memory = before
            raise
        self.fell_back = ""

    def fall_back(self) -> None:
        """Go on with the processor."""
        _log.warning("the accelerator is out of memory, going on with the processor")
        self.use_device("cpu")
        self.fell_back = FELL_BACK

    def _load_memory(self) -> SlowMemory:
        slot = self.store.slot

        def load(model: Model) -> SlowMemory:
            return model.load(slot.path) if slot else model.fresh()

        try:
            return load(self.model)
        except self.model.out_of_memory:
            self._model = self._factory("cpu")
            self.fell_back = FELL_BACK
            return load(self._model)
