/** The texts by which a memory is found, each by itself: an issue by its words, and by what turned out to be the cause. */
import type { Memory } from "../../domain/memory.ts";

/** The first one is what an issue is compared with. */
export function facesOf(memory: Memory): string[] {
  switch (memory.kind) {
    case "resolution": {
      const solved = [memory.cause ?? "", memory.change ?? "", memory.files.join(" ")].join("\n").trim();
      return [`${memory.title}\n${memory.problem}`, ...(solved === "" ? [] : [solved])];
    }
    case "workflow":
      return [memory.title];
    case "lesson":
    case "taught":
      return [memory.text];
  }
}
