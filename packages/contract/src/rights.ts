// Who may do what, as two tables: the actions there are, and the roles that hold them. A user has a role in the whole tenant or
// none; a grant gives a user or a group a role on one folder and all below it. Of all that apply, the strongest wins.

/** What an action is asked of. */
interface ActionRow {
  readonly summary: string;
  /** `folder`: may differ from folder to folder. `tenant`: for all of it or not at all. `service`: for those who run the service. */
  readonly judged: 'folder' | 'tenant' | 'service';
  /** Whether an API key may do it: unless told otherwise, only where its scopes name it, or never. */
  readonly byKey: 'usual' | 'named' | 'never';
}

export const actions = {
  'folders:read': { summary: 'See which folders there are.', judged: 'folder', byKey: 'usual' },
  'files:read': { summary: 'List, find and download files.', judged: 'folder', byKey: 'usual' },
  'files:write': {
    summary: 'Rename, move, tag and copy files, put them into the trash and take them out; make and change folders.',
    judged: 'folder',
    byKey: 'usual',
  },
  'files:purge': { summary: 'Delete what is in the trash for good.', judged: 'folder', byKey: 'usual' },
  'uploads:create': { summary: 'Upload files, and see one’s own uploads.', judged: 'folder', byKey: 'usual' },
  'shares:write': {
    summary: 'Make links for people without an account, and end them.',
    judged: 'folder',
    byKey: 'usual',
  },
  'keys:read': { summary: 'See API keys.', judged: 'tenant', byKey: 'usual' },
  'keys:write': { summary: 'Make API keys that act for oneself, and revoke them.', judged: 'tenant', byKey: 'never' },
  'usage:read': { summary: 'See what is stored, and how much room is left.', judged: 'tenant', byKey: 'named' },
  'webhooks:write': { summary: 'Have events be sent to addresses.', judged: 'tenant', byKey: 'named' },
  'quarantine:write': {
    summary: 'See files that were found dangerous, and judge them.',
    judged: 'tenant',
    byKey: 'named',
  },
  'members:write': { summary: 'Invite and change users, groups and grants.', judged: 'tenant', byKey: 'named' },
  'audit:read': { summary: 'Read and check the audit log.', judged: 'tenant', byKey: 'named' },
  'service:admin': {
    summary: 'Make and suspend tenants, set quotas, look after the bucket.',
    judged: 'service',
    byKey: 'named',
  },
} as const satisfies Record<string, ActionRow>;

export type Action = keyof typeof actions;
// Object.keys of a closed table gives its keys.
export const actionNames: readonly Action[] = Object.keys(actions) as Action[];

interface RoleRow {
  readonly summary: string;
  readonly actions: readonly Action[];
}

const everybody = ['folders:read', 'keys:read', 'keys:write'] as const;

export const roles = {
  owner: {
    summary: 'Everything in the tenant: its files, its people and its log.',
    actions: actionNames.filter((name) => actions[name].judged !== 'service'),
  },
  editor: {
    summary: 'Reads and changes files; deletes nothing for good.',
    actions: [...everybody, 'files:read', 'files:write', 'uploads:create', 'shares:write'],
  },
  viewer: { summary: 'Reads files.', actions: [...everybody, 'files:read'] },
  uploader: {
    summary: 'Brings files in and sees none but its own uploads.',
    actions: [...everybody, 'uploads:create'],
  },
} as const satisfies Record<string, RoleRow>;

export type Role = keyof typeof roles;
export const roleNames: readonly Role[] = Object.keys(roles) as Role[];

/** What a user may do in the whole tenant. `none`: only what grants give. */
export type TenantRole = Role | 'none';
export const tenantRoleNames: readonly TenantRole[] = [...roleNames, 'none'];

/** Whether the role holds the action. A role that comes by a grant holds actions that are judged by folder, and no others. */
export function roleAllows(role: TenantRole, action: Action): boolean {
  const held: readonly Action[] = role === 'none' ? (['keys:read', 'keys:write'] as const) : roles[role].actions;
  return held.includes(action);
}
