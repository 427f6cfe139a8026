# The rest of `esp32`: blobs and erasing in the non-volatile storage, heap figures of a board.

HEAP_DATA = 4
HEAP_EXEC = 1

_NOT_FOUND = -0x1102


def nvs_get_blob(nvs, key, buffer):
    data = bytes.fromhex(nvs.get("b:" + key))
    buffer[: len(data)] = data
    return len(data)


def nvs_set_blob(nvs, key, value):
    nvs.set("b:" + key, (value.encode() if isinstance(value, str) else bytes(value)).hex())


def nvs_erase_key(nvs, key):
    for kind in ("i:", "b:"):
        try:
            nvs.get(kind + key)
        except OSError:
            continue
        nvs.pending[kind + key] = None
        return
    raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")


# (total, free, largest free block, least ever free) per region: an ESP32 without PSRAM,
# connected to Wi-Fi (94.6 KB free, 94 KB in one block).
def idf_heap_info(capabilities):
    return [(240, 0, 0, 0), (16648, 4, 4, 4), (113840, 94600, 94000, 90000)]


def raw_temperature():
    return 113
