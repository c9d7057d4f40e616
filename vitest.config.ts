import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/fixtures/**"],
    // Temporal's native bridge crashes in worker threads.
    pool: "forks",
    globalSetup: ["test/global-setup.ts"],
    // A test that talks to a server or an engine takes a second or two alone and several times that on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    setupFiles: ["test/setup-environment.ts"],
  },
});
