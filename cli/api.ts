/** `mergewright api`: webhook, pages and JSON API alone. */
import { command } from "./command.ts";
import { listenArguments, listenSettings } from "./listen.ts";
import { serve } from "./services.ts";
import { withTemporal } from "./with-temporal.ts";

export default command({
  args: listenArguments,
  run: (args, terminal) =>
    serve(terminal, {
      needs: ["github"],
      args: listenSettings(args),
      async start(config, log) {
        const { startApi } = await import("../workers/api.ts");
        return startApi(withTemporal(config), log);
      },
    }),
});
