import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ENVIRONMENT_NAMES, parseDotEnv } from "../../config/environment.ts";
import { describeIf } from "../support/presence.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (name: string) => readFileSync(`${root}${name}`, "utf8");

interface Service {
  image?: string;
  environment?: Record<string, string>;
  ports?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
}
const file = parse(read("docker-compose.yml"), { merge: true }) as {
  services: Record<string, Service>;
  volumes: object;
};
const services = Object.entries(file.services);

describe("docker-compose.yml", () => {
  test("has Temporal with PostgreSQL, its Web UI, Qdrant, the API and a worker", () => {
    expect(Object.keys(file.services)).toEqual(["postgresql", "temporal", "temporal-ui", "qdrant", "api", "worker"]);
  });

  test.each(services)("%s has a health check and a pinned image", (_name, service) => {
    expect(service.healthcheck?.test.length).toBeGreaterThan(1);
    expect(service.image).toMatch(/:(?!latest)[\w.-]+$/);
  });

  test.each(services)("%s publishes nothing beyond loopback by default", (_name, service) => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^\$\{BIND_ADDRESS:-127\.0\.0\.1\}:/);
  });

  test("everything waits for what it needs to be healthy", () => {
    const waits = services.flatMap(([, service]) =>
      Object.values(service.depends_on ?? {}).map(({ condition }) => condition),
    );
    expect(new Set(waits)).toEqual(new Set(["service_healthy"]));
  });

  test("ended runs are kept for 30 days", () => {
    expect(file.services["temporal"]?.environment?.["DEFAULT_NAMESPACE_RETENTION"]).toBe("720h");
  });

  test("the API and the worker are handed every variable that Mergewright knows", () => {
    // A server is named, so no CLI is needed; the rest is decided by the file itself.
    const elsewhere = new Set(["TEMPORAL_CLI", "HOST", "PORT"]);
    for (const name of ["api", "worker"]) {
      const given = Object.keys(file.services[name]?.environment ?? {});
      expect(ENVIRONMENT_NAMES.filter((known) => !given.includes(known) && !elsewhere.has(known))).toEqual([]);
    }
  });

  test("only the worker holds the Docker socket", () => {
    const holders = services.filter(([, { volumes = [] }]) => volumes.some((volume) => volume.includes("docker.sock")));
    expect(holders.map(([name]) => name)).toEqual(["worker"]);
  });
});

const compose = [["docker", "compose"], ["docker-compose"]].find(
  ([program = "", ...rest]) => spawnSync(program, [...rest, "version"], { encoding: "utf8" }).status === 0,
);
describeIf(compose ? null : "no Docker Compose on this machine")("Docker Compose", () => {
  test("accepts docker-compose.yml without any variable set", () => {
    const [program = "", ...rest] = compose ?? [];
    const { status, stderr } = spawnSync(program, [...rest, "-f", `${root}docker-compose.yml`, "config", "--quiet"], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
    });
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });
});

describe(".env.example", () => {
  const lines = read(".env.example").split("\n");
  const named = lines.flatMap((line) => /^(?:# )?([A-Z][A-Z0-9_]+)=/.exec(line)?.[1] ?? []);

  test("names every variable that Mergewright knows, once", () => {
    const composeOnly = ["BIND_ADDRESS", "DOCKER_GID", "DOCKER_SOCKET", "POSTGRES_PASSWORD"];
    expect(named.toSorted()).toEqual([...ENVIRONMENT_NAMES, ...composeOnly].toSorted());
  });

  test("can be read as it is", () => {
    expect(parseDotEnv(read(".env.example"))).toMatchObject({ problems: [] });
  });
});
