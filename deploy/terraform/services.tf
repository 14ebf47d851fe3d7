locals {
  pg_port       = 5433
  http_port     = 8080
  drain_seconds = 120

  # What functions do no service does.
  services = { for name, service in var.services : name => merge(service, {
    roles = [for role in service.roles : role if role != "stage" || var.stages == "services"]
  }) if length([for role in service.roles : role if role != "stage" || var.stages == "services"]) > 0 }

  # Every key of the configuration file can stand in the environment; `fieldgate config` lists them.
  environment = {
    FIELDGATE_STREAM_KIND            = "kinesis"
    FIELDGATE_STREAM_PREFIX          = var.prefix
    FIELDGATE_STREAM_REGION          = local.region
    FIELDGATE_STREAM_SHARDS          = var.stream_mode == "PROVISIONED" ? tostring(var.stream_shards) : "0"
    FIELDGATE_STREAM_SCALING         = var.stream_mode == "PROVISIONED" ? var.stream_scaling : "none"
    FIELDGATE_STREAM_UTILISATION     = var.stream_mode == "PROVISIONED" && var.stream_scaling != "none" ? var.stream_utilisation : "counters"
    FIELDGATE_STREAM_RETENTION_HOURS = tostring(var.stream_retention_hours)
    FIELDGATE_NEARLINE_KIND          = "dynamodb"
    FIELDGATE_NEARLINE_PREFIX        = var.prefix
    FIELDGATE_NEARLINE_REGION        = local.region
    FIELDGATE_NEARLINE_KMS_KEY_ID    = local.kms_key_arn
    FIELDGATE_NEARLINE_CAPACITY      = var.nearline_capacity
    FIELDGATE_NEARLINE_SCALING       = var.nearline_capacity == "provisioned" ? var.nearline_scaling : "auto"
    FIELDGATE_KEYVALUE_KIND          = "dynamodb"
    FIELDGATE_KEYVALUE_PREFIX        = var.prefix
    FIELDGATE_KEYVALUE_REGION        = local.region
    FIELDGATE_OBJECTS_KIND           = "s3"
    FIELDGATE_OBJECTS_BUCKET         = aws_s3_bucket.this.bucket
    FIELDGATE_OBJECTS_REGION         = local.region
    FIELDGATE_DATA_DIR               = "/var/lib/fieldgate"
    FIELDGATE_PG_ADDR                = "0.0.0.0:${local.pg_port}"
    FIELDGATE_HTTP_ADDR              = "0.0.0.0:${local.http_port}"
    FIELDGATE_TLS_MODE               = "require"
    FIELDGATE_LIMITS_DRAIN_SECONDS   = tostring(local.drain_seconds - 20)
  }

  # What differs between the services. Kinesis allows five reads a second of a shard to all who read it, which are two stages.
  environments = { for name, service in local.services : name => merge(local.environment, {
    FIELDGATE_ROLES                   = join(",", service.roles)
    FIELDGATE_OBJECTS_CACHE_MB        = tostring(floor(service.disk * 1024 * 0.6))
    FIELDGATE_LIMITS_ENGINE_MB        = tostring(floor(service.memory * 0.4))
    FIELDGATE_LIMITS_HEAP_MB          = tostring(floor(service.memory * 0.3))
    FIELDGATE_STREAM_READS_PER_SECOND = service.max > 1 ? "2" : "5"
  }) }

  secrets = {
    FIELDGATE_TLS_CERT = "${var.certificate_secret_arn}:certificate::"
    FIELDGATE_TLS_KEY  = "${var.certificate_secret_arn}:private_key::"
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.prefix
  tags = local.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "service" {
  name              = "/${var.prefix}/service"
  retention_in_days = var.log_days
  kms_key_id        = local.kms_key_arn
  tags              = local.tags
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.services

  family                   = "${var.prefix}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task[each.key].arn
  tags                     = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  ephemeral_storage {
    size_in_gib = each.value.disk
  }

  volume {
    name = "data"
  }

  container_definitions = jsonencode([{
    name                   = "fieldgate"
    image                  = var.image
    essential              = true
    command                = ["serve"]
    stopTimeout            = local.drain_seconds
    environment            = [for name, value in local.environments[each.key] : { name = name, value = value }]
    secrets                = [for name, from in local.secrets : { name = name, valueFrom = from }]
    portMappings           = [for port in [local.pg_port, local.http_port] : { containerPort = port, protocol = "tcp" }]
    mountPoints            = [{ sourceVolume = "data", containerPath = "/var/lib/fieldgate" }]
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true }
    ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.service.name
        awslogs-region        = local.region
        awslogs-stream-prefix = each.key
      }
    }
  }])
}

# New tasks start before old ones drain: what processes share they share by leases.
resource "aws_ecs_service" "this" {
  for_each = local.services

  name                               = "${var.prefix}-${each.key}"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this[each.key].arn
  launch_type                        = "FARGATE"
  desired_count                      = each.value.min
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = anytrue([for door in local.doors : contains(each.value.roles, door.role)]) ? 300 : null
  propagate_tags                     = "SERVICE"
  tags                               = local.tags

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [aws_security_group.services.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = { for name, door in local.doors : name => door if contains(each.value.roles, door.role) }
    content {
      target_group_arn = aws_lb_target_group.this[load_balancer.key].arn
      container_name   = "fieldgate"
      container_port   = load_balancer.value.target
    }
  }

  # How many there are is the scaling's to say.
  lifecycle {
    ignore_changes = [desired_count]
  }

  # A balancer's target group takes tasks only once a listener uses it.
  depends_on = [aws_lb_listener.this]
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.services

  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[each.key].name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
  tags               = local.tags
}

# An event costs the same processor time however many tasks share the work. A gateway that goes lets its sessions finish, for
# as long as a task may take to end; so tasks go slowly.
resource "aws_appautoscaling_policy" "processor" {
  for_each = local.services

  name               = "${var.prefix}-${each.key}-processor"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 600

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
