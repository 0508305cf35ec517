// What the file service and its clients say to each other: states, problems, schemas, routes. No I/O, no Node.

export * from './account.ts';
export * from './admin.ts';
export * from './audit.ts';
export * from './expectation.ts';
export * from './file.ts';
export * from './file-state.ts';
export * from './folder.ts';
export * from './identity.ts';
export * from './name.ts';
export * from './nearest-name.ts';
export * from './openapi.ts';
export * from './problem.ts';
export * from './quarantine.ts';
export * from './reconcile.ts';
export * from './request-faults.ts';
export * from './rights.ts';
export { problemsOf, type Route } from './routes/route.ts';
export * from './routes.ts';
export * from './search.ts';
export * from './share.ts';
export * from './shown-name.ts';
export * from './shown-size.ts';
export * from './upload.ts';
export * from './usage.ts';
export * from './version.ts';
export * from './webhook.ts';
