// One handler for each route of the contract, a file for each theme: a missing one does not compile.

import type { Handlers } from './handler.ts';
import { type AccountHandlersOptions, accountHandlers } from './handlers/account.ts';
import { type ArchiveHandlersOptions, archiveHandlers } from './handlers/archives.ts';
import { type AuditHandlersOptions, auditHandlers } from './handlers/audit.ts';
import { type FileHandlersOptions, fileHandlers } from './handlers/files.ts';
import { type FolderHandlersOptions, folderHandlers } from './handlers/folders.ts';
import { type KeyHandlersOptions, keyHandlers } from './handlers/keys.ts';
import { type MemberHandlersOptions, memberHandlers } from './handlers/members.ts';
import { type OidcHandlersOptions, oidcHandlers } from './handlers/oidc.ts';
import { type QuarantineHandlersOptions, quarantineHandlers } from './handlers/quarantine.ts';
import { type ReconcileHandlersOptions, reconcileHandlers } from './handlers/reconcile.ts';
import { type SearchHandlersOptions, searchHandlers } from './handlers/search.ts';
import { type SessionHandlersOptions, sessionHandlers } from './handlers/session.ts';
import { type ShareHandlersOptions, shareHandlers } from './handlers/shares.ts';
import { type TenantHandlersOptions, tenantHandlers } from './handlers/tenants.ts';
import { type TrashHandlersOptions, trashHandlers } from './handlers/trash.ts';
import { type UploadHandlersOptions, uploadHandlers } from './handlers/uploads.ts';
import { type UsageHandlersOptions, usageHandlers } from './handlers/usage.ts';
import { type VersionHandlersOptions, versionHandlers } from './handlers/versions.ts';
import { type WebhookHandlersOptions, webhookHandlers } from './handlers/webhooks.ts';

type HandlersOptions = OidcHandlersOptions &
  AuditHandlersOptions &
  ReconcileHandlersOptions &
  QuarantineHandlersOptions &
  UsageHandlersOptions &
  MemberHandlersOptions &
  TenantHandlersOptions &
  AccountHandlersOptions &
  ArchiveHandlersOptions &
  FileHandlersOptions &
  FolderHandlersOptions &
  KeyHandlersOptions &
  SearchHandlersOptions &
  SessionHandlersOptions &
  ShareHandlersOptions &
  TrashHandlersOptions &
  UploadHandlersOptions &
  VersionHandlersOptions &
  WebhookHandlersOptions;

export function createHandlers(options: HandlersOptions): Handlers {
  return {
    ...sessionHandlers(options),
    ...uploadHandlers(options),
    ...fileHandlers(options),
    ...versionHandlers(options),
    ...trashHandlers(options),
    ...folderHandlers(options),
    ...searchHandlers(options),
    ...shareHandlers(options),
    ...archiveHandlers(options),
    ...keyHandlers(options),
    ...auditHandlers(options),
    ...reconcileHandlers(options),
    ...quarantineHandlers(options),
    ...usageHandlers(options),
    ...memberHandlers(options),
    ...tenantHandlers(options),
    ...accountHandlers(options),
    ...oidcHandlers(options),
    ...webhookHandlers(options),
  };
}
