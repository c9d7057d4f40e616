import { describe, expect, it } from "vitest";
import { readStateMarker, refuseRestart, refuseSender, stateMarker } from "../../domain/admission.ts";

const someone = { login: "mara", id: 7, isBot: false };

describe("who may start a run", () => {
  it.each([
    ["admin", null],
    ["maintain", null],
    ["write", null],
    ["triage", /triage permission; write is needed/],
    ["read", /read permission/],
    ["none", /no permission/],
  ] as const)("somebody with %s permission: %s", (permission, refusal) => {
    const reason = refuseSender(someone, permission);
    if (refusal === null) expect(reason).toBeNull();
    else expect(reason).toMatch(refusal);
  });

  it("a deleted account starts nothing, whatever GitHub answers for it", () => {
    expect(refuseSender(null, "admin")).toMatch(/account is gone/);
  });
});

describe("a trigger after an earlier run", () => {
  const ended = "2026-11-20T12:00:00.000Z";
  it.each([
    ["no earlier run", null, "2026-11-20T11:00:00Z", null],
    ["one that still runs", { endedAt: null, merged: false }, "2026-11-20T13:00:00Z", /at work/],
    ["one that merged", { endedAt: ended, merged: true }, "2026-11-20T13:00:00Z", /merged already/],
    [
      "one that ended unmerged later than the trigger",
      { endedAt: ended, merged: false },
      "2026-11-20T11:59:59Z",
      /older/,
    ],
    ["one that ended at the very moment", { endedAt: ended, merged: false }, ended, /older/],
    ["one that ended unmerged before the trigger", { endedAt: ended, merged: false }, "2026-11-20T12:00:01Z", null],
  ] as const)("%s", (_, earlier, at, refusal) => {
    const reason = refuseRestart(at, earlier);
    if (refusal === null) expect(reason).toBeNull();
    else expect(reason).toMatch(refusal);
  });
});

describe("the state in the progress comment", () => {
  it("is read back as it was written", () => {
    const at = "2026-11-20T12:00:00.000Z";
    expect(readStateMarker(`text\n${stateMarker("merged", at)}`)).toEqual({ endedAt: at, merged: true });
    expect(readStateMarker(stateMarker("failed", at))).toEqual({ endedAt: at, merged: false });
    expect(readStateMarker(stateMarker("working", at))).toEqual({ endedAt: null, merged: false });
  });

  it.each(["", "<!-- mergewright:state -->", "<!-- mergewright:state phase=merged at=yesterday -->"])(
    "says nothing in %j",
    (body) => {
      expect(readStateMarker(body)).toBeNull();
    },
  );
});
