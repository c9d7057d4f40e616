/** `mergewright start`: everything in one process, with an embedded Temporal server where none is named. */
import { command } from "./command.ts";
import { listenArguments, listenSettings } from "./listen.ts";
import { serve } from "./services.ts";

export default command({
  args: listenArguments,
  run: (args, terminal) =>
    serve(terminal, {
      needs: ["claude", "github"],
      args: listenSettings(args),
      async start(config, log, signal) {
        const { startAll } = await import("../workers/start.ts");
        const all = await startAll(config, log, signal);
        log.info(all.urls, "Mergewright is up");
        return all;
      },
    }),
});
