import { CommandFailed } from "../errors.ts";

/** What was written before an interruption stays, and the next time goes on from there. */
export function endingSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () =>
      controller.abort(new CommandFailed("interrupted", "Interrupted. Run the same command again to go on.")),
    );
  return controller.signal;
}
