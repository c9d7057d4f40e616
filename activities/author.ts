/** Whose name stands on the commits of a run. */
import type { Viewer } from "../domain/ports.ts";

/** GitHub links a commit to an account by its noreply address. */
export function authorOf(viewer: Viewer): { name: string; email: string } {
  return { name: viewer.login, email: `${viewer.id}+${viewer.login}@users.noreply.github.com` };
}
