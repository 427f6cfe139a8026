# A reader on the counter: RC522, LEDs, buzzer, Wi-Fi, and the cards held to it.

from .air import Field
from .bus import SpiPort
from .chip import Chip
from .clock import Clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .picc import Picc

STRENGTH = 58
REFUSES = 1
NO_ADDRESS = 2
NO_TIME = 0x80
SWAPPED = {"led_red": "led_green", "led_green": "led_red"}
PINS = {"cs": 5, "rst": 22, "led_green": 26, "led_red": 25, "buzzer": 27}


# What a device's pins and SPI bus are wired to. Pins are GPIO numbers, roles their names.
# Listeners get (event, detail, value, t_us): ("pin", role, 0/1), ("tone", "", hz),
# ("card", key, 0/1).
class Board:
    def __init__(
        self,
        pins: "dict[str, int] | None" = None,
        clock: "Clock | None" = None,
        version: int = 0x92,
    ):
        self.pins = dict(pins or PINS)
        self.clock = clock or Clock()
        self.field = Field()
        self.chip = Chip(self.clock, self.field, version)
        self.spi = SpiPort(self.chip, self.clock)
        self.levels: "dict[str | int, int]" = {}
        self.tone_hz = 0
        self.wifi_up = True
        # How strong the access point is heard, as RSSI in -dBm; REFUSES: it wants another password,
        # NO_ADDRESS: it gives out none.
        self.wifi_strength = STRENGTH
        self.has_time_server = True
        # Roles whose wire is off, and two LEDs of which each hangs on the other's pin.
        self.unplugged: "set[str]" = set()
        self.is_swapped = False
        self.cards: "dict[str, Picc]" = {}
        self._roles: dict[int, str] = {}
        for role, gpio in self.pins.items():
            self._roles[gpio] = role
        self._listeners: "list[Callable[[str, str, int, int], object]]" = []
        self.device_reset()

    # The device restarts: its outputs float, CS and RST are pulled up on the module. The
    # chip keeps its power and its registers.
    def device_reset(self) -> None:
        for role in ("cs", "rst"):
            self.levels[role] = 1
        self.spi.select(False)
        self.chip.hold_reset(False)
        for role in self.pins:
            if role.startswith("led"):
                self._drive(role, 0)
        self._sound(0)

    # Power off and on again, chip included.
    def power_cycle(self) -> None:
        self.chip.hold_reset(True)
        self.device_reset()

    def listen(self, listener: "Callable[[str, str, int, int], object]") -> None:
        self._listeners.append(listener)

    def forget(self, listener: "Callable[[str, str, int, int], object]") -> None:
        self._listeners.remove(listener)

    def _tell(self, event: str, detail: str, value: int) -> None:
        for listener in self._listeners:
            listener(event, detail, value, self.clock.now_us())

    # ---- the device's side: what the shims call ----

    def spi_setup(self, baudrate: int, polarity: int = 0, phase: int = 0) -> None:
        self.spi.configure(baudrate, polarity, phase)

    def spi_exchange(self, mosi: bytes, miso: "bytearray | None" = None) -> None:
        self.spi.exchange(mosi, miso)

    def pin_write(self, gpio: int, value: int) -> None:
        role = self._wired(gpio)
        if role == "cs":
            self.levels["cs"] = value
            self.spi.select(not value)
        elif role == "rst":
            self.levels["rst"] = value
            self.chip.hold_reset(not value)
        elif role == "buzzer":
            self._sound(0)
        elif role is not None:
            self._drive(role, value)
        else:
            self.levels[gpio] = value

    def pin_read(self, gpio: int) -> int:
        role = self._wired(gpio)
        if role is None and self._roles.get(gpio) == "irq":
            return 1
        if role == "irq":
            self.chip.catch_up(self.clock.now())
            return self.chip.irq_pin()
        return self.levels.get(role if role else gpio, 0)

    def pwm(self, gpio: int, freq_hz: int, duty_u16: int) -> None:
        role = self._wired(gpio)
        if role == "buzzer":
            self._sound(freq_hz if duty_u16 else 0)
        elif role is not None:
            self._drive(role, 1 if duty_u16 else 0)

    # The network as one byte: 0 none, REFUSES, NO_ADDRESS, or its strength in -dBm; NO_TIME added
    # when no time server answers.
    def wifi(self) -> int:
        strength = self.wifi_strength if self.wifi_up else 0
        return strength | (0 if self.has_time_server else NO_TIME)

    # The role at the end of a pin's wire; None when nothing is.
    def _wired(self, gpio: int) -> "str | None":
        role = self._roles.get(gpio)
        if role in self.unplugged:
            return None
        if self.is_swapped and role in SWAPPED:
            return SWAPPED[role]
        return role

    def _drive(self, role: str, value: int) -> None:
        if self.levels.get(role) != value:
            self.levels[role] = value
            self._tell("pin", role, value)

    def _sound(self, hz: int) -> None:
        if hz != self.tone_hz:
            self.tone_hz = hz
            self._tell("tone", "", hz)

    # ---- the customer's side ----

    # Gives a card a name; it is not in the field yet.
    def add(self, key: str, card: "Picc") -> None:
        self.cards[key] = card

    def present(self, key: str) -> None:
        card = self.cards[key]
        if card not in self.field.cards:
            self.chip.before_cards_change()
            self.field.insert(card, self.clock.now())
            self._tell("card", key, 1)

    def remove(self, key: str) -> None:
        card = self.cards[key]
        if card in self.field.cards:
            self.chip.before_cards_change(card)
            self.field.remove(card)
            self._tell("card", key, 0)

    def in_field(self, key: str) -> bool:
        return self.cards[key] in self.field.cards
