// Loads a staged flash folder into MicroPython's wasm build, runs a script there, and prints as JSON
// the live bytes, how many of them are MicroPython's own modules, and how many were live before all.
// Usage: node heap.mjs FLASH SHIMS SCRIPT
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";

const [flash, shims, script] = process.argv.slice(2);
const mp = await loadMicroPython({ heapsize: 1024 * 1024, stdout: (line) => console.log(line) });

function copy(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    if (entry.isDirectory()) {
      mp.FS.mkdir(`${to}/${entry.name}`);
      copy(source, `${to}/${entry.name}`);
    } else {
      mp.FS.writeFile(`${to}/${entry.name}`, readFileSync(source));
    }
  }
}

// A collection only takes place between two calls: the wasm build cannot scan its own stack.
function live() {
  for (let i = 0; i < 3; i++) mp.runPython("import gc\ngc.collect()");
  mp.runPython("import gc\n_live = gc.mem_alloc()");
  return mp.globals.get("_live");
}

mp.FS.mkdir("/flash");
copy(flash, "/flash");
mp.FS.mkdir("/flash/lib");
copy(shims, "/flash/lib");
mp.runPython("import sys, os\nos.chdir('/flash')\nsys.path[:] = ['a', 'a/lib', '', '.frozen', '/flash/lib']");
const before = live();
mp.runPython("import machine, network, ntptime, esp32, usocket");
const shimBytes = live() - before;
mp.runPython("import asyncio, json, os, binascii, random, select, time");
const stdlib = live() - shimBytes - before;
mp.runPython(readFileSync(script, "utf8"));
console.log(JSON.stringify({ live: live() - shimBytes, stdlib, empty: before }));
