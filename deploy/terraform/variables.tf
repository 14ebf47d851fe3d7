variable "prefix" {
  description = "Begins the name of every stream, table, role and service. Two installations in one account need two prefixes."
  type        = string
  default     = "fieldgate"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.prefix))
    error_message = "The prefix is 2 to 20 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}

variable "image" {
  description = "Container image of deploy/Dockerfile, with its tag or digest."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the services and the load balancer."
  type        = string
}

variable "private_subnet_ids" {
  description = "Subnets of the services, in at least two availability zones, with a way to AWS's APIs (NAT gateway or endpoints)."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "Give subnets in at least two availability zones."
  }
}

variable "load_balancer_subnet_ids" {
  description = "Subnets of the network load balancer: public ones if load_balancer_internal is false."
  type        = list(string)
}

variable "load_balancer_internal" {
  description = "Whether the load balancer has private addresses only."
  type        = bool
  default     = true
}

variable "client_cidrs" {
  description = "Address ranges that may connect to the SQL gateway."
  type        = list(string)
}

variable "device_cidrs" {
  description = "Address ranges that may send events."
  type        = list(string)
}

variable "private_route_table_ids" {
  description = "Route tables of the private subnets: they get gateway endpoints of S3 and DynamoDB, which cost nothing and keep that traffic off the NAT gateway. Empty: none are made."
  type        = list(string)
  default     = []
}

variable "bucket" {
  description = "Name of the bucket of archives and lake. It is made here."
  type        = string
}

variable "kms_key_arn" {
  description = "KMS key of streams, tables, bucket and logs. Empty: one is made. One that is given must allow the account to use it, and CloudWatch Logs."
  type        = string
  default     = ""
}

variable "certificate_arn" {
  description = "ACM certificate of the HTTPS listener that devices send to."
  type        = string
}

variable "certificate_secret_arn" {
  description = "Secrets Manager secret with a PEM certificate chain under the key certificate and its key under private_key. The server ends TLS itself: a Postgres client begins it only after a request of the protocol's own."
  type        = string
}

variable "stream_mode" {
  description = "ON_DEMAND, or PROVISIONED: then Fieldgate's own scaling policy sets the number of shards (stream_scaling)."
  type        = string
  default     = "ON_DEMAND"

  validation {
    condition     = contains(["ON_DEMAND", "PROVISIONED"], var.stream_mode)
    error_message = "The stream mode is ON_DEMAND or PROVISIONED."
  }
}

variable "stream_shards" {
  description = "Shards of the raw and of the staged stream at creation, if provisioned."
  type        = number
  default     = 2
}

variable "stream_scaling" {
  description = "What Fieldgate does about the number of shards of provisioned streams: none, dry_run (it says in the log what it would do and why), or auto."
  type        = string
  default     = "dry_run"

  validation {
    condition     = contains(["none", "dry_run", "auto"], var.stream_scaling)
    error_message = "Scaling is none, dry_run or auto."
  }
}

variable "stream_utilisation" {
  description = "By what the scaling of provisioned streams knows how far they are used: counters, Fieldgate's own, or cloudwatch, which also has what other programs put."
  type        = string
  default     = "counters"

  validation {
    condition     = contains(["counters", "cloudwatch"], var.stream_utilisation)
    error_message = "Utilisation is counters or cloudwatch."
  }
}

variable "nearline_capacity" {
  description = "How the weekly tables are paid for: on_demand, by the request, or provisioned, by the hour for a capacity that follows what is consumed (nearline_scaling)."
  type        = string
  default     = "on_demand"

  validation {
    condition     = contains(["on_demand", "provisioned"], var.nearline_capacity)
    error_message = "Capacity is on_demand or provisioned."
  }
}

variable "nearline_scaling" {
  description = "What Fieldgate does about the capacity of provisioned weekly tables: none, dry_run (it says in the log what it would do and why), or auto."
  type        = string
  default     = "dry_run"

  validation {
    condition     = contains(["none", "dry_run", "auto"], var.nearline_scaling)
    error_message = "Scaling is none, dry_run or auto."
  }
}

variable "stream_retention_hours" {
  description = "How long the streams keep records: the time there is to mend a stage that stands. 24 to 8760."
  type        = number
  default     = 72

  validation {
    condition     = var.stream_retention_hours >= 24 && var.stream_retention_hours <= 8760
    error_message = "Kinesis keeps records for 24 to 8760 hours."
  }
}

variable "services" {
  description = "Services by name: the roles of their processes, the size of a task (processor units, 1024 a core; memory in MiB; temporary disk in GiB, for what queries fetch of the lake and for what they spill), and between how many tasks the service scales. Every role is some service's; one service may have all of them."
  type = map(object({
    roles  = list(string)
    cpu    = number
    memory = number
    disk   = number
    min    = number
    max    = number
  }))
  default = {
    ingest  = { roles = ["ingest"], cpu = 512, memory = 2048, disk = 21, min = 2, max = 10 }
    stage   = { roles = ["stage"], cpu = 1024, memory = 4096, disk = 21, min = 2, max = 10 }
    compact = { roles = ["compact"], cpu = 1024, memory = 4096, disk = 21, min = 1, max = 4 }
    gateway = { roles = ["gateway"], cpu = 2048, memory = 8192, disk = 100, min = 2, max = 10 }
  }

  validation {
    condition     = length(setsubtract(concat(["ingest", "compact", "gateway"], var.stages == "lambda" ? [] : ["stage"]), flatten([for service in var.services : service.roles]))) == 0
    error_message = "Each of the roles ingest, stage, compact and gateway must be that of a service, stage only if no functions are it."
  }

  validation {
    condition     = alltrue([for service in var.services : service.disk >= 21 && service.disk <= 200])
    error_message = "Fargate has 21 to 200 GiB of temporary disk."
  }

  validation {
    condition     = alltrue([for service in var.services : service.min >= 1 && service.min <= service.max])
    error_message = "A service has at least one task, and at most as many as its max."
  }
}

variable "stages" {
  description = "What carries events from stream to stream and into nearline and the archive: services, those of role stage, or lambda: functions that event source mappings call. Then the role stage of a service is passed over."
  type        = string
  default     = "services"

  validation {
    condition     = contains(["services", "lambda"], var.stages)
    error_message = "Stages are services or lambda."
  }
}

variable "lambda_package" {
  description = "Path of the functions' package, which make lambda builds. Needed where stages is lambda."
  type        = string
  default     = ""

  validation {
    condition     = var.stages != "lambda" || var.lambda_package != ""
    error_message = "Functions need their package: make lambda, and name bin/fieldgate-lambda-arm64.zip."
  }
}

variable "lambda_architecture" {
  description = "Processors of the functions, as the package was built: arm64, a fifth cheaper, or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.lambda_architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "lambda_memory" {
  description = "Memory of a function in MB. Its part of a processor grows with it: 1,769 are one."
  type        = number
  default     = 1024

  validation {
    condition     = var.lambda_memory >= 512 && var.lambda_memory <= 10240
    error_message = "A function has 512 to 10240 MB."
  }
}

variable "archive_glacier_days" {
  description = "Days after which archived objects move to Glacier Instant Retrieval. Compaction reads the staged archive, so not before everything of that age is compacted: at least 7."
  type        = number
  default     = 30

  validation {
    condition     = var.archive_glacier_days >= 7
    error_message = "Compaction and replays read young archives: leave them at least 7 days."
  }
}

variable "archive_deep_days" {
  description = "Days after which archived objects move to Glacier Deep Archive, from which a replay needs hours of restoring first. 0: never."
  type        = number
  default     = 0
}

variable "archive_expiry_days" {
  description = "Days after which archived objects are deleted, and with them what could be replayed. 0: never."
  type        = number
  default     = 0
}

variable "log_days" {
  description = "Days that the services' logs are kept."
  type        = number
  default     = 30
}

variable "alarm_topic_arns" {
  description = "SNS topics that alarms go to."
  type        = list(string)
  default     = []
}

variable "protect" {
  description = "Whether bucket, streams and key-value table refuse to be destroyed with what they hold."
  type        = bool
  default     = true
}
