import { describe } from "vitest";
import { createDockerSandboxes } from "../../activities/adapters/sandbox/docker.ts";
import { sandboxContract } from "./contract.ts";
import { engine, skipped } from "./engine.ts";

describe.skipIf(skipped !== null)(`with Docker${skipped === null ? "" : ` (${skipped})`}`, () => {
  sandboxContract("a sandbox in a container", () => ({
    create: () => createDockerSandboxes(engine),
    clientArguments: ["docker", engine.image],
  }));
});
