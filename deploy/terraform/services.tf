locals {
  pg_port       = 5433
  http_port     = 8080
  drain_seconds = 120

  # Environment that all roles share: every key of the configuration file can stand there, see `fieldgate config`.
  environment = {
    FIELDGATE_STREAM_KIND     = "kinesis"
    FIELDGATE_STREAM_PREFIX   = var.prefix
    FIELDGATE_STREAM_REGION   = local.region
    FIELDGATE_NEARLINE_KIND   = "dynamodb"
    FIELDGATE_NEARLINE_PREFIX = var.prefix
    FIELDGATE_NEARLINE_REGION = local.region
    FIELDGATE_KEYVALUE_KIND   = "dynamodb"
    FIELDGATE_KEYVALUE_PREFIX = var.prefix
    FIELDGATE_KEYVALUE_REGION = local.region
    FIELDGATE_OBJECTS_KIND    = "s3"
    FIELDGATE_OBJECTS_BUCKET  = aws_s3_bucket.this.bucket
    FIELDGATE_OBJECTS_REGION  = local.region
    FIELDGATE_DATA_DIR        = "/var/lib/fieldgate"
    FIELDGATE_PG_ADDR         = "0.0.0.0:${local.pg_port}"
    FIELDGATE_HTTP_ADDR       = "0.0.0.0:${local.http_port}"
  }

  # What a role has of its own. The gateway's disk is for what it has fetched of the lake, and for what queries spill. The load balancer ends TLS of ingest, and nothing else reaches the stages' ports.
  role_environment = {
    ingest  = { FIELDGATE_INSECURE = "true" }
    stage   = { FIELDGATE_INSECURE = "true" }
    compact = { FIELDGATE_INSECURE = "true" }
    gateway = {
      FIELDGATE_TLS_MODE         = "require"
      FIELDGATE_OBJECTS_CACHE_MB = tostring(floor(var.services.gateway.disk * 1024 * 0.6))
    }
  }

  role_secrets = {
    ingest  = {}
    stage   = {}
    compact = {}
    gateway = {
      FIELDGATE_TLS_CERT = "${var.gateway_certificate_secret_arn}:certificate::"
      FIELDGATE_TLS_KEY  = "${var.gateway_certificate_secret_arn}:private_key::"
    }
  }

  # Lambda takes the place of the stage service.
  services = { for role, size in var.services : role => size if role != "stage" || var.stages == "fargate" }
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
  for_each = local.services

  name              = "/${var.prefix}/${each.key}"
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
  task_role_arn            = aws_iam_role.role[each.key].arn
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
    name        = "fieldgate"
    image       = var.image
    essential   = true
    command     = ["serve"]
    stopTimeout = local.drain_seconds
    environment = [for name, value in merge(local.environment, local.role_environment[each.key], { FIELDGATE_ROLES = each.key }) :
      { name = name, value = value }
    ]
    secrets                = [for name, from in local.role_secrets[each.key] : { name = name, valueFrom = from }]
    portMappings           = [for port in [local.pg_port, local.http_port] : { containerPort = port, protocol = "tcp" }]
    mountPoints            = [{ sourceVolume = "data", containerPath = "/var/lib/fieldgate" }]
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true }
    ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.service[each.key].name
        awslogs-region        = local.region
        awslogs-stream-prefix = each.key
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  for_each = local.services

  name                               = each.key
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this[each.key].arn
  launch_type                        = "FARGATE"
  desired_count                      = each.value.minimum
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = contains(keys(local.targets), each.key) ? 120 : null
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
    for_each = lookup(local.targets, each.key, {})
    content {
      target_group_arn = load_balancer.value.group
      container_name   = "fieldgate"
      container_port   = load_balancer.value.port
    }
  }

  # A balancer's target group takes tasks only once a listener uses it.
  depends_on = [aws_lb_listener.sql, aws_lb_listener.rest, aws_lb_listener.ingest]

  lifecycle {
    ignore_changes = [desired_count]
  }
}

locals {
  targets = {
    ingest = {
      http = { group = aws_lb_target_group.ingest.arn, port = local.http_port }
    }
    gateway = {
      sql  = { group = aws_lb_target_group.sql.arn, port = local.pg_port }
      rest = { group = aws_lb_target_group.rest.arn, port = local.http_port }
    }
  }
}

resource "aws_appautoscaling_target" "service" {
  for_each = local.services

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[each.key].name}"
  min_capacity       = each.value.minimum
  max_capacity       = each.value.maximum
  tags               = local.tags
}

# Out fast, in slowly: a task that ends hands its shards to others, which costs them a moment.
resource "aws_appautoscaling_policy" "service" {
  for_each = local.services

  name               = "${var.prefix}-${each.key}-processor"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.service[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.service[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.service[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 600

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
