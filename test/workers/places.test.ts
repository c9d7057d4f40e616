/** Room on a worker, and what counts as use of a sandbox. */
import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { CustomSlotSupplier, ActivitySlotInfo, SlotReserveContext } from "@temporalio/worker";
import { NoPlace } from "../../domain/errors.ts";
import type { Sandbox, Sandboxes, SandboxSpec } from "../../domain/ports.ts";
import { adopt } from "../../workers/adopt.ts";
import { makeRoom } from "../../workers/crowd.ts";
import type { Log } from "../../workers/log.ts";
import { inPlaces, mayEnter, Places } from "../../workers/places.ts";
import { Uses } from "../../workers/uses.ts";

const folder = mkdtempSync(join(tmpdir(), "places-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const context = {} as SlotReserveContext;
const never = new AbortController().signal;

function slotsOf(places: Places): CustomSlotSupplier<ActivitySlotInfo> {
  return places.slots() as CustomSlotSupplier<ActivitySlotInfo>;
}

describe("a worker", () => {
  it("lets in as many runs as it has places for, and the next when one leaves", async () => {
    const places = new Places(2);
    const slots = slotsOf(places);
    const first = await slots.reserveSlot(context, never);
    places.enter("a", "a-coder");
    slots.releaseSlot({ permit: first });
    const second = await slots.reserveSlot(context, never);
    places.enter("b", "b-coder");
    slots.releaseSlot({ permit: second });
    expect(slots.tryReserveSlot(context)).toBeNull();
    let admitted = false;
    const third = slots.reserveSlot(context, never).then((permit) => {
      admitted = true;
      return permit;
    });
    // A second sandbox of a run that is in takes no place, and gives none back.
    places.enter("a", "a-reviewer");
    places.leave("a-reviewer");
    await new Promise((resolve) => setImmediate(resolve));
    expect(admitted).toBe(false);
    places.leave("a-coder");
    expect(await third).toEqual({});
    expect(places.sandboxes).toEqual(["b-coder"]);
  });

  it("keeps the place of a run between its planner and its coder, for a while", async () => {
    vi.useFakeTimers();
    try {
      const places = new Places(1);
      const slots = slotsOf(places);
      places.enter("a", "a-planner");
      places.leave("a-planner", true);
      expect(slots.tryReserveSlot(context)).toBeNull();
      places.enter("a", "a-coder");
      vi.advanceTimersByTime(3_600_000);
      expect(places.full).toBe(true);
      places.leave("a-coder");
      expect(places.full).toBe(false);
      places.enter("b", "b-planner");
      places.leave("b-planner", true);
      expect(places.full).toBe(true);
      vi.advanceTimersByTime(3_600_000);
      expect(places.full).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it("lets a wait for room be given up, and forgets it", async () => {
    const places = new Places(1);
    const slots = slotsOf(places);
    places.enter("a", "a-coder");
    const controller = new AbortController();
    const waiting = slots.reserveSlot(context, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    await expect(slots.reserveSlot(context, controller.signal)).rejects.toMatchObject({ name: "AbortError" });
    places.leave("a-coder");
    expect(slots.tryReserveSlot(context)).toEqual({});
  });
});

it.each([
  { inside: false, runs: 0, limit: 1, may: true },
  { inside: false, runs: 1, limit: 1, may: false },
  { inside: false, runs: 2, limit: 1, may: false },
  { inside: true, runs: 1, limit: 1, may: true },
  { inside: true, runs: 2, limit: 1, may: true },
])("a run (inside: $inside) beside $runs of $limit may open a sandbox: $may", ({ may, ...of }) => {
  expect(mayEnter(of)).toBe(may);
});

describe("a run that comes back to a worker on which others have taken its place", () => {
  const opened: string[] = [];
  let failing = false;
  const engine = {
    open: async ({ key }: SandboxSpec) => {
      if (failing) throw new Error("no engine");
      opened.push(key);
      return {} as Sandbox;
    },
    close: async () => undefined,
  } as unknown as Sandboxes;
  const places = new Places(1);
  const sandboxes = inPlaces(engine, places, new Uses(join(folder, "full")));
  const open = (runKey: string, purpose: string) =>
    sandboxes.open({ key: `${runKey}-${purpose}`, runKey } as SandboxSpec, never);

  it("is sent in line, and nothing is opened for it", async () => {
    const both = await Promise.allSettled([open("a", "coder"), open("b", "coder")]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await expect(open("b", "coder")).rejects.toBeInstanceOf(NoPlace);
    await open("a", "branch");
    expect(opened).toEqual(["a-coder", "a-branch"]);
  });

  it("has it again when they have left", async () => {
    await sandboxes.close("a-coder");
    await expect(open("b", "coder")).rejects.toBeInstanceOf(NoPlace);
    await sandboxes.close("a-branch");
    await open("b", "coder");
    expect(places.sandboxes).toEqual(["b-coder"]);
  });

  it("takes none when its sandbox could not be opened, and keeps the one it has", async () => {
    failing = true;
    await expect(open("b", "branch")).rejects.toThrow("no engine");
    await expect(open("b", "coder")).rejects.toThrow("no engine");
    expect(places.sandboxes).toEqual(["b-coder"]);
    await sandboxes.close("b-coder");
    await expect(open("c", "coder")).rejects.toThrow("no engine");
    expect(places.runs).toBe(0);
  });
});

describe("a worker that starts", () => {
  const known = ["a-coder", "a-branch", "b-coder", "elsewhere-coder", "c-coder"].map((key) => ({
    key,
    runKey: key.split("-")[0]!,
    workflowId: "w",
    madeAt: 0,
  }));
  const uses = { lastUse: async (key: string) => (key.startsWith("elsewhere") ? null : 1) };
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (_: object, text: string) => void warnings.push(text) } as unknown as Log;

  it("counts the sandboxes that one before it has left at this home, as far as there are places", async () => {
    const places = new Places(2);
    const sandboxes = { known: async () => known };
    expect(await adopt({ sandboxes, places, uses, log })).toEqual(["a-coder", "a-branch", "b-coder"]);
    expect(places.full).toBe(true);
  });

  it("starts also when the engine is down, and says that it could not look", async () => {
    const down = { known: () => Promise.reject(new Error("no engine")) };
    expect(await adopt({ sandboxes: down, places: new Places(1), uses, log })).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("could not be looked for")]);
  });
});

describe("a sandbox", () => {
  it("is used when it is opened and by its commands, and is forgotten when it is closed", async () => {
    const places = new Places(1);
    const uses = new Uses(join(folder, "uses"));
    const inner = {
      tree: "/t",
      run: async () => ({ kind: "exited", exitCode: 0 }),
    } as unknown as Sandbox;
    const engine = { open: async () => inner, close: async () => undefined } as unknown as Sandboxes;
    const sandboxes = inPlaces(engine, places, uses);
    expect(await uses.lastUse("k-coder")).toBeNull();
    const sandbox = await sandboxes.open({ key: "k-coder", runKey: "k" } as SandboxSpec, never);
    expect(await uses.lastUse("k-coder")).not.toBeNull();
    utimesSync(join(folder, "uses", "k-coder"), 1, 1);
    await sandbox.run({ key: "c", script: "true", timeoutMs: 1, keepBytes: 1 }, never);
    expect(await uses.lastUse("k-coder")).toBeGreaterThan(1_000);
    expect(sandbox.tree).toBe("/t");
    expect(places.runs).toBe(1);
    await sandboxes.close("k-coder");
    expect(await uses.lastUse("k-coder")).toBeNull();
    expect(places.runs).toBe(0);
  });
});

describe("a full worker", () => {
  it("removes the idle sandboxes of runs that wait, and no others", async () => {
    const places = new Places(4);
    const uses = new Uses(join(folder, "crowd"));
    const open = new Map([
      ["left-coder", "left"],
      ["waits-coder", "waits"],
      ["works-coder", "works"],
      ["asked-coder", "asked-a-moment-ago"],
      ["elsewhere-coder", "waits"],
    ]);
    const phases: Record<string, string> = { waits: "awaiting-approval", works: "working", left: "working" };
    phases["asked-a-moment-ago"] = "awaiting-approval";
    const sandboxes = {
      known: async () => [...open].map(([key, workflowId]) => ({ key, workflowId, madeAt: 0 })),
      close: async (key: string) => {
        open.delete(key);
        places.leave(key);
      },
    } as unknown as Sandboxes;
    const log = { info: () => undefined } as unknown as Log;
    const options = {
      standingOf: async (id: string) => ({ phase: phases[id], inLine: id === "left" }),
      sandboxes,
      places,
      uses,
      log,
    };
    const longAgo = new Date(Date.now() - 60_000);
    for (const key of open.keys()) {
      if (key !== "elsewhere-coder") places.enter(open.get(key)!, key);
      await uses.touch(key);
      if (key !== "asked-coder") utimesSync(join(folder, "crowd", key), longAgo, longAgo);
    }
    expect(await makeRoom(options)).toEqual(["left-coder", "waits-coder"]);
    expect([...open.keys()]).toEqual(["works-coder", "asked-coder", "elsewhere-coder"]);
    // There is room now: the others may keep theirs.
    utimesSync(join(folder, "crowd", "asked-coder"), longAgo, longAgo);
    expect(await makeRoom(options)).toEqual([]);
  });

  it("makes room though one of its sandboxes cannot be removed", async () => {
    const places = new Places(2);
    const uses = new Uses(join(folder, "stuck"));
    for (const runKey of ["stuck", "waits"]) {
      places.enter(runKey, `${runKey}-coder`);
      await uses.touch(`${runKey}-coder`);
      utimesSync(join(folder, "stuck", `${runKey}-coder`), 1, 1);
    }
    const sandboxes = {
      known: async () => ["stuck", "waits"].map((id) => ({ key: `${id}-coder`, workflowId: id, madeAt: 0 })),
      close: async (key: string) => {
        if (key === "stuck-coder") throw new Error("device or resource busy");
        places.leave(key);
      },
    } as unknown as Sandboxes;
    const log = { info: () => undefined, warn: () => undefined } as unknown as Log;
    const standingOf = async () => ({ phase: "awaiting-approval", inLine: false });
    expect(await makeRoom({ standingOf, sandboxes, places, uses, log })).toEqual(["waits-coder"]);
    expect(places.full).toBe(false);
  });

  it("gives back the places of sandboxes that somebody else removed", async () => {
    const places = new Places(2);
    places.enter("a", "a-coder");
    places.enter("b", "b-coder");
    const sandboxes = { known: async () => [{ key: "b-coder", workflowId: "b", madeAt: 0 }] } as unknown as Sandboxes;
    const options = {
      standingOf: async () => ({ phase: "working", inLine: false }),
      sandboxes,
      places,
      uses: new Uses(join(folder, "removed")),
      log: {} as Log,
    };
    expect(places.full).toBe(true);
    expect(await makeRoom(options)).toEqual([]);
    expect(places.sandboxes).toEqual(["b-coder"]);
  });
});
