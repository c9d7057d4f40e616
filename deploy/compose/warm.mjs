/** While the image is built: bundles the workflow code into the place where a worker looks for it. */
import { fileURLToPath } from "node:url";
import { workflowBundle } from "../../dist/workers/workflow-bundle.js";

const cache = fileURLToPath(new URL("../../dist/node_modules/.cache/mergewright", import.meta.url));
const { buildId } = await workflowBundle(cache);
process.stdout.write(`workflow code ${buildId} is bundled\n`);
