import { describe, expect, it } from "vitest";
import { refuseApproval } from "../../domain/approval.ts";

const head = "a".repeat(40);
const sound = { phase: "awaiting-approval", headSha: head, sha: head, by: "mara", permission: "write" } as const;

describe("an approval", () => {
  it.each([
    ["of the head, by somebody who may write", {}, null],
    ["without a commit means the head", { sha: null }, null],
    ["of another commit", { sha: "b".repeat(40) }, /names commit b{40}, but the head/],
    ["by a reader", { permission: "read" }, /write permission is needed/],
    ["by a stranger", { permission: "none" }, /has no permission/],
    ["before the run asks", { phase: "reviewing" }, /not waiting for an approval \(phase reviewing\)/],
    ["without a pull request", { headSha: null }, /not waiting/],
    ["while paused", { phase: "paused" }, /phase paused/],
  ] as const)("%s", (_, change, refusal) => {
    const reason = refuseApproval({ ...sound, ...change });
    if (refusal === null) expect(reason).toBeNull();
    else expect(reason).toMatch(refusal);
  });
});
