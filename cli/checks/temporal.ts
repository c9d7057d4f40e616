/** Temporal: the program where it is embedded, the server, and what its namespace must have. */
import { type Connection, NamespaceNotFoundError } from "@temporalio/client";
import type { Config } from "../../config/config.ts";
import { findTemporalCli } from "../../scripts/setup/temporal-cli.mjs";
import { clientOver } from "../../workers/connect.ts";
import { troubledDeliveries } from "../../workers/delivery-health.ts";
import { isStatus } from "../../workers/grpc.ts";
import { troubledSchedules } from "../../workers/schedule-health.ts";
import { MIN_RETENTION_DAYS, missingSearchAttributes, retentionDays } from "../../workers/temporal-namespace.ts";
import { findTemporalServer } from "../../workers/temporal-state.ts";
import { connect } from "../client.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

export async function checkTemporal(config: Config): Promise<Finding[]> {
  const { address } = config.temporal;
  if (address !== null) return checkServer(config, address);
  const [cli, running] = [await checkCli(config), findTemporalServer(config.home)];
  if (running) return [cli, ...(await checkServer(config, running.address))];
  return [cli, ok("Temporal server", "None is named, and none runs now: `mergewright start` brings one.")];
}

async function checkCli({ temporal, hostEnvironment }: Config): Promise<Finding> {
  const name = "Temporal CLI";
  try {
    const env = temporal.cli === null ? hostEnvironment : { ...hostEnvironment, TEMPORAL_CLI: temporal.cli };
    const { path, version } = await findTemporalCli({ allowInstall: false, env: env as NodeJS.ProcessEnv });
    return ok(name, `${path}, version ${version}.`);
  } catch (error) {
    const [reason = ""] = (error as Error).message.split("\n");
    if (temporal.cli !== null) return fail(name, reason, "Correct TEMPORAL_CLI, or unset it to let set-up find one.");
    return warn(
      name,
      "There is none on this machine.",
      "Nothing to do: the first `mergewright start` installs it. Or install it from https://docs.temporal.io/cli.",
    );
  }
}

async function checkServer(config: Config, address: string): Promise<Finding[]> {
  const name = "Temporal server";
  const { namespace } = config.temporal;
  const connection = await connect(config, address).catch((error: Error) => error);
  if (connection instanceof Error) {
    return [
      fail(name, connection.message, "Start it, or correct TEMPORAL_ADDRESS, TEMPORAL_TLS_CERT and TEMPORAL_API_KEY."),
    ];
  }
  try {
    const days = await retentionDays(connection, namespace);
    return [
      ok(name, `${address} answers, namespace ${namespace}.`),
      retention(days, namespace),
      await attributes(connection, namespace),
      await upkeep(connection, config),
      await deliveries(connection, config),
    ];
  } catch (error) {
    if (error instanceof NamespaceNotFoundError || isStatus(error, "not found")) {
      return [
        fail(
          name,
          `${address} has no namespace ${namespace}.`,
          `Make it (temporal operator namespace create -n ${namespace} --retention 720h), or correct TEMPORAL_NAMESPACE.`,
        ),
      ];
    }
    return [
      fail(name, `${address} refused: ${(error as Error).message}`, "Check TEMPORAL_NAMESPACE and TEMPORAL_API_KEY."),
    ];
  } finally {
    await connection.close();
  }
}

async function upkeep(connection: Connection, config: Config): Promise<Finding> {
  const title = "Upkeep";
  try {
    const client = clientOver(connection, config);
    const troubled = await troubledSchedules(client, config);
    if (troubled.length === 0) return ok(title, "Its Schedules run.");
    return warn(
      title,
      `${troubled.join("; ")}.`,
      "Start a worker for what is missing or late; `temporal schedule toggle --unpause --schedule-id ID` ends a pause; a workflow that failed tells why in the Web UI.",
    );
  } catch (error) {
    return warn(
      title,
      `Its Schedules cannot be looked up: ${(error as Error).message}`,
      "Ask whoever runs the server whether this account may read Schedules.",
    );
  }
}

async function deliveries(connection: Connection, config: Config): Promise<Finding> {
  const title = "Deliveries";
  try {
    const client = clientOver(connection, config);
    const troubled = await troubledDeliveries(client);
    if (troubled === null) return ok(title, "All that GitHub has handed over was let in.");
    return warn(
      title,
      `${troubled}.`,
      "Mend what the reason names: they are then tried again by themselves, within the hour; or send them again on GitHub.",
    );
  } catch (error) {
    return warn(
      title,
      `They cannot be looked up: ${(error as Error).message}`,
      "Ask whoever runs the server whether this account may list workflows.",
    );
  }
}

async function attributes(connection: Connection, namespace: string): Promise<Finding> {
  const title = "Search attributes";
  try {
    const missing = await missingSearchAttributes(connection, namespace);
    if (missing.length === 0) return ok(title, "All are registered.");
    return warn(
      title,
      `Missing: ${missing.join(", ")}.`,
      "A worker registers them when it starts and may; else ask whoever runs the server.",
    );
  } catch {
    return warn(
      title,
      "They cannot be looked up with this account.",
      "Ask whoever runs the server whether they are registered.",
    );
  }
}

function retention(days: number | null, namespace: string): Finding {
  const name = "Retention";
  if (days === null || days >= MIN_RETENTION_DAYS)
    return ok(name, days === null ? "The server does not tell." : `Ended runs are kept for ${Math.floor(days)} days.`);
  return warn(
    name,
    `Ended runs are kept for ${days.toFixed(1)} days only, then nobody remembers that an issue was resolved.`,
    `temporal operator namespace update -n ${namespace} --retention ${MIN_RETENTION_DAYS * 24}h`,
  );
}
