"""The tables of what readers say about themselves: the latest of each kind, one row a reader.

Of their health the hours before are kept too, summed up. The bridge writes all of it by raw SQL
(``reports.py``); a test holds those statements to these models.
A reader that never said a thing has no row. Numbers are as the reader sent them; their units
are in the names.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ReaderState(models.Model):
    """Birth, will or goodbye: ``online``, ``lost`` or ``offline``, and since when (host's clock).

    ``boot`` counts the reader's starts; the will of an earlier start never replaces this row.
    """

    reader = models.OneToOneField(
        "store.Reader", models.CASCADE, primary_key=True, related_name="state"
    )
    state = models.CharField(max_length=8)
    boot = models.BigIntegerField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.reader_id} {self.state}"


class ReaderInfo(models.Model):
    """What a reader is made of; ``since`` is when it first said so after its last start.

    ``reset_cause`` is MicroPython's number on the ESP32: 1 power, 2 reset, 3 watchdog,
    4 deep sleep, 5 soft.
    """

    reader = models.OneToOneField(
        "store.Reader", models.CASCADE, primary_key=True, related_name="info"
    )
    firmware = models.CharField(max_length=32)
    umqtt = models.CharField(max_length=32)
    micropython = models.CharField(max_length=32)
    reset_cause = models.BigIntegerField()
    boot = models.BigIntegerField()
    config_version = models.BigIntegerField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.reader_id} {self.firmware}"


class ReaderHealth(models.Model):
    """How a reader does; ``at`` is when it said so (host's clock).

    ``outbox_since`` is when taps began to wait in the reader without a break, null while none
    does. Counts are since the reader's start, ``up_s`` seconds before ``at``.
    """

    reader = models.OneToOneField(
        "store.Reader", models.CASCADE, primary_key=True, related_name="health"
    )
    at = models.DateTimeField()
    up_s = models.BigIntegerField()
    rssi_dbm = models.SmallIntegerField(null=True)
    heap_free = models.BigIntegerField()
    outbox = models.BigIntegerField()
    outbox_since = models.DateTimeField(null=True)
    outbox_dropped = models.BigIntegerField()
    reconnects = models.BigIntegerField()
    rc522_recoveries = models.BigIntegerField()
    verdict_ms = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.reader_id} {self.at}"


class ReaderHour(models.Model):
    """How a reader did within an hour (UTC, from ``hour`` on), summed up from what it said.

    ``said`` is how often it told its signal: the mean is ``rssi_sum_dbm / said``. Counts are what
    was added within the hour; ``restarts`` are starts that its running time showed.
    """

    reader = models.ForeignKey("store.Reader", models.CASCADE, related_name="hours", db_index=False)
    hour = models.DateTimeField()
    said = models.PositiveIntegerField()
    rssi_sum_dbm = models.BigIntegerField()
    rssi_min_dbm = models.SmallIntegerField(null=True)
    verdict_max_ms = models.BigIntegerField(null=True)
    dropped = models.BigIntegerField()
    reconnects = models.BigIntegerField()
    rc522_recoveries = models.BigIntegerField()
    restarts = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reader", "hour"], name="hour_once_per_reader")
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} {self.hour}"
