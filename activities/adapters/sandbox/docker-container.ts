/** What a sandbox's container is: no network, no privileges, nothing of the host, and a workspace that holds a quota. */
import type { ContainerCreateOptions } from "dockerode";
import type { SandboxSpec } from "../../../domain/ports.ts";
import { parseSize } from "./size.ts";

export const ROOT = "/workspace";

/** Labels that say whose a container is. */
export const LABELS = {
  app: "mergewright.app",
  run: "mergewright.run",
  workflow: "mergewright.workflow",
  owner: "mergewright.owner",
  repository: "mergewright.repository",
  key: "mergewright.key",
} as const;
export const APP = "mergewright";

/** Nobody on the host, and not the image's root. */
const USER = "10001:10001";

/** Where neither the settings nor MEMORY_LIMIT or CPU_LIMIT say anything. */
const DEFAULT_MEMORY = "4g";
const DEFAULT_CPUS = 2;

const MAX_TMP_BYTES = 512 * 1024 * 1024;

/**
 * The first process. Nothing inside can end it (a first process gets no signal from within that it does not handle), so
 * that `kill -9 -1` in a command costs the command and not the workspace; docker-init would end with its child. Orphans
 * are reaped by ignoring SIGCHLD.
 */
const SLEEPER = `$0 = "mergewright-sandbox"; $SIG{CHLD} = "IGNORE"; sleep 3600 while 1`;

export function containerName(key: string): string {
  return `mergewright-${key}`;
}

/** `hostCpus`: an engine refuses to give more than it has. */
export function containerOf(
  spec: SandboxSpec,
  image: string,
  defaults: { memory?: string; cpus?: number },
  hostCpus: number,
  owner: string,
): ContainerCreateOptions {
  const memory = parseSize(spec.memory ?? defaults.memory ?? DEFAULT_MEMORY);
  const cpus = Math.min(spec.cpus ?? defaults.cpus ?? DEFAULT_CPUS, hostCpus);
  // What stands in the workspace and in /tmp counts against the memory: a full workspace must leave some to work with.
  const workspace = Math.min(parseSize(spec.workspace), Math.floor(memory / 2));
  const tmp = Math.min(MAX_TMP_BYTES, Math.floor(memory / 8));
  const labels = {
    [LABELS.app]: APP,
    [LABELS.run]: spec.runKey,
    [LABELS.workflow]: spec.workflowId,
    [LABELS.owner]: owner,
    [LABELS.repository]: spec.repository,
    [LABELS.key]: spec.key,
  };
  return {
    Image: image,
    Entrypoint: ["perl", "-e", SLEEPER],
    Cmd: [],
    User: USER,
    WorkingDir: ROOT,
    Hostname: "sandbox",
    Env: [`HOME=${ROOT}/home`, "LANG=C.UTF-8"],
    Labels: labels,
    HostConfig: {
      NetworkMode: "none",
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      Init: false,
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: spec.pids,
      Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
      LogConfig: { Type: "none", Config: {} },
      RestartPolicy: { Name: "no" },
      // Not a Tmpfs mount: a volume keeps its quota and takes files under a read-only root.
      Mounts: [
        {
          Type: "volume",
          Source: "",
          Target: ROOT,
          VolumeOptions: {
            NoCopy: true,
            Labels: labels,
            DriverConfig: {
              Name: "local",
              Options: {
                type: "tmpfs",
                device: "tmpfs",
                o: `size=${workspace},uid=10001,gid=10001,mode=0750,nosuid,nodev`,
              },
            },
          },
        },
      ],
      Tmpfs: { "/tmp": `rw,exec,nosuid,nodev,mode=1777,size=${tmp}` },
    },
  };
}
