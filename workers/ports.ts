/** The outside parts, made from the configuration: which adapter stands behind each port. */
import { join } from "node:path";
import { Context } from "@temporalio/activity";
import { createModel } from "../activities/adapters/anthropic/model.ts";
import { gitApart } from "../activities/adapters/git/apart.ts";
import { createMirror, type GitMirror } from "../activities/adapters/git/mirror.ts";
import { createForge } from "../activities/adapters/github/forge.ts";
import { createDockerSandboxes } from "../activities/adapters/sandbox/docker.ts";
import { createLocalSandboxes } from "../activities/adapters/sandbox/local.ts";
import type { Ports } from "../activities/index.ts";
import type { Config } from "../config/config.ts";
import { ConfigurationError } from "../domain/errors.ts";
import type { RepositoryName } from "../domain/ids.ts";
import type { Forge, Model, Sandboxes } from "../domain/ports.ts";
import { createArtifacts } from "./artifacts.ts";
import { clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { createMemory } from "./memory.ts";
import { inPlaces, type Places } from "./places.ts";
import type { Uses } from "./uses.ts";

export function createPorts(
  config: Config,
  log: Log,
  room: { places: Places; uses: Uses },
  owner: string,
): Ports & { mirror: GitMirror } {
  const forge = createForges(config, log);
  return {
    modelFor: createModels(config),
    forge,
    sandboxes: inPlaces(createSandboxes(config, log, owner), room.places, room.uses),
    mirror: createMirror({
      dir: join(config.home, "mirrors"),
      env: config.hostEnvironment,
      token: (repository) => forge.gitToken(repository),
      httpHosts: plainHttpHosts(config),
      runProcess: gitApart(),
    }),
    artifacts: createArtifacts(config),
    memory: createMemory(config, (message) => log.warn(message)),
  };
}

/** One GitHub client for each owner, so that the limits of one never make another wait. */
export function createForges(config: Config, log: Log): Forge {
  const forges = new Map<string, Forge>();
  const forgeOf = (repository: RepositoryName): Forge => {
    const owner = ownerOf(repository);
    const known = forges.get(owner);
    if (known) return known;
    const auth = config.tenants.get(owner)?.githubAuth ?? config.github.auth;
    if (auth === null) {
      throw new ConfigurationError([
        `No GitHub credentials for ${owner}. Set GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY.`,
      ]);
    }
    const { apiUrl, graphqlUrl, writeSpacingMs } = config.github;
    const forge = createForge({
      apiUrl,
      graphqlUrl,
      auth,
      tenant: owner,
      log: log.child({ part: "github" }),
      signal: activitySignal,
      onClock: (skewMs) => clock.compared(skewMs, log),
      ...(writeSpacingMs === null ? {} : { writeSpacingMs }),
    });
    forges.set(owner, forge);
    return forge;
  };
  // Every method of the port begins with the repository: that names the client.
  return new Proxy({} as Forge, {
    get:
      (_, method: keyof Forge) =>
      (...args: [RepositoryName, ...unknown[]]): unknown =>
        Reflect.apply(forgeOf(args[0])[method], undefined, args),
  });
}

function createModels(config: Config): (repository: RepositoryName) => Model {
  const models = new Map<string, Model>();
  return (repository) => {
    const apiKey = config.tenants.get(ownerOf(repository))?.anthropicApiKey ?? config.anthropic.apiKey;
    if (apiKey === null) throw new ConfigurationError(["No key for Claude. Set ANTHROPIC_API_KEY."]);
    const { baseUrl } = config.anthropic;
    const model = models.get(apiKey) ?? createModel({ apiKey, ...(baseUrl === null ? {} : { baseUrl }) });
    models.set(apiKey, model);
    return model;
  };
}

function createSandboxes(config: Config, log: Log, owner: string): Sandboxes {
  const { mode, dockerHost, image, memory, cpus } = config.execution;
  const own = log.child({ part: "sandbox" });
  if (mode === "local") {
    // Where a person keeps Node or Python, the commands of a local sandbox find them, too.
    const path = config.hostEnvironment["PATH"];
    const root = join(config.home, "sandboxes");
    return createLocalSandboxes({ root, allowed: true, log: own, ...(path === undefined ? {} : { path }) });
  }
  return createDockerSandboxes({
    owner,
    log: own,
    ...(dockerHost === null ? {} : { dockerHost }),
    ...(image === null ? {} : { image }),
    ...(memory === null ? {} : { memory }),
    ...(cpus === null ? {} : { cpus }),
  });
}

/** A GitHub that is configured with plain http is meant so: clones of it may use plain http, too. */
function plainHttpHosts({ github }: Config): string[] {
  const { protocol, host } = new URL(github.apiUrl);
  return protocol === "http:" ? [host] : [];
}

function ownerOf(repository: RepositoryName): string {
  return repository.split("/")[0]!.toLowerCase();
}

/** Cancelling an activity ends what it waits for. Outside of activities (the doctor, the API) there is nothing to cancel. */
function activitySignal(): AbortSignal | undefined {
  try {
    return Context.current().cancellationSignal;
  } catch {
    return undefined;
  }
}
