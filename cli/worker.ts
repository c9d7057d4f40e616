/** `mergewright worker`: takes work from Temporal; any number of them, on any number of machines. */
import { command } from "./command.ts";
import { serve } from "./services.ts";
import { withTemporal } from "./with-temporal.ts";

export default command({
  args: {},
  run: (_args, terminal) =>
    serve(terminal, {
      needs: ["claude", "github"],
      async start(config, log, signal) {
        const { startWorker } = await import("../workers/worker.ts");
        return startWorker(withTemporal(config), log, { signal });
      },
    }),
});
