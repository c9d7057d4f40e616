/** Memories as people read them on a terminal. */
import type { Memory } from "../../domain/memory.ts";
import type { Recalled } from "../../domain/memory-ports.ts";
import { lineOfMemory } from "../../memory/mcp/memory-document.ts";
import { plain, type Terminal } from "../terminal.ts";

export function showMemories(memories: readonly Memory[], terminal: Terminal): void {
  if (memories.length === 0) terminal.out("Nothing is remembered.");
  for (const memory of memories) {
    terminal.out(`${memory.at.slice(0, 10)}  ${plain(lineOfMemory(memory))}`);
    terminal.out(`  ${terminal.style("dim", plain(memory.id))}`);
  }
}

export function showRecalled(found: readonly Recalled[], terminal: Terminal): void {
  if (found.length === 0) terminal.out("Nothing that is remembered fits.");
  for (const { memory, score } of found) {
    terminal.out(`${score.toFixed(2)}  ${plain(lineOfMemory(memory))}`);
    terminal.out(`  ${terminal.style("dim", plain(memory.id))}`);
  }
}
