variable "handler_zip" {
  description = "Path of sociable-index-on-push.zip, which `npm run package -w packages/cdk-soci` writes to packages/cdk-soci/dist/template"
  type        = string
}

variable "filters" {
  description = "Patterns REPOSITORY:TAG of the images to index. * is any number of characters, ? is one"
  type        = list(string)
  default     = ["*:*"]

  validation {
    condition     = length(var.filters) > 0 && alltrue([for filter in var.filters : can(regex("^[a-z0-9._/*?-]+:[A-Za-z0-9_.*?-]+$", filter))])
    error_message = "Write patterns REPOSITORY:TAG, such as app/*:v*. Repositories have no capital letters; the wildcards are * and ?."
  }
}

variable "index_version" {
  description = "V2 makes SOCI-enabled images <tag>-soci, for Fargate. V1 attaches an index to the image itself, for SOCI snapshotters that you run"
  type        = string
  default     = "V2"

  validation {
    condition     = contains(["V1", "V2"], var.index_version)
    error_message = "Write V1 or V2."
  }
}

variable "name_prefix" {
  description = "Start of the names of all resources"
  type        = string
  default     = "soci-index-on-push-"
}

variable "permissions_boundary" {
  description = "ARN of a policy that bounds the permissions of the function's role"
  type        = string
  default     = null
}

variable "memory_size" {
  description = "MiB of the function. Lambda allocates one processor per 1769"
  type        = number
  default     = 3538
}

variable "max_concurrency" {
  description = "Images that are indexed at a time, 2 to 1000"
  type        = number
  default     = 10
}

variable "reconcile_days" {
  description = "Once a day, look for pushes of so many days without an index. 0 turns it off"
  type        = number
  default     = 3
}

variable "alarm_actions" {
  description = "ARNs, such as of SNS topics, that are notified while the dead-letter queue has messages"
  type        = list(string)
  default     = []
}

variable "log_retention_days" {
  description = "How long logs are kept"
  type        = number
  default     = 30
}
