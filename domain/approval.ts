/** Whether a message is obeyed: pure, asked before and after GitHub told what the sender may do. */
import { mayWrite, type Permission, type Phase } from "./run.ts";

/** Why this approval is refused, or null when it stands. `sha` null means the head at receipt. */
export function refuseApproval(input: {
  phase: Phase;
  headSha: string | null;
  sha: string | null;
  by: string;
  permission: Permission;
}): string | null {
  const { phase, headSha, sha, by, permission } = input;
  if (phase !== "awaiting-approval" || headSha === null) {
    return `The run is not waiting for an approval (phase ${phase}). Approve when the phase is awaiting-approval.`;
  }
  const authority = refuseAuthority(by, permission);
  if (authority) return authority;
  if (sha !== null && sha !== headSha) {
    return `The approval names commit ${sha}, but the head of the pull request is ${headSha}. Look at the new head and approve that.`;
  }
  return null;
}

/** Why this person may not command the run, or null. */
export function refuseAuthority(by: string, permission: Permission): string | null {
  if (mayWrite(permission)) return null;
  return `@${by} has ${permission === "none" ? "no" : permission} permission on the repository; write permission is needed.`;
}
