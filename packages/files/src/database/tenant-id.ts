// What one tenant calls by an id.

export interface TenantId {
  readonly tenantId: string;
  readonly id: string;
}
