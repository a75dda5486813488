/**
 * Ends the process at SIGTERM or SIGINT until `stopOnSignal` takes over (shell.ts): nothing has begun that would have to be ended. For the
 * service alone: a migration that is ended has not succeeded.
 *
 * The first process of a container ignores signals that it has no handler for, and the modules take most of a second to load: a
 * pod that is stopped within that time would live until its grace period is over.
 */
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
