locals {
  pg_port       = 5433
  http_port     = 8080
  drain_seconds = 120

  # Every key of the configuration file can stand in the environment; `fieldgate config` lists them.
  environment = {
    FIELDGATE_STREAM_KIND            = "kinesis"
    FIELDGATE_STREAM_PREFIX          = var.prefix
    FIELDGATE_STREAM_REGION          = local.region
    FIELDGATE_STREAM_SHARDS          = var.stream_mode == "PROVISIONED" ? tostring(var.stream_shards) : "0"
    FIELDGATE_STREAM_RETENTION_HOURS = tostring(var.stream_retention_hours)
    FIELDGATE_STREAM_SCALING         = var.stream_mode == "PROVISIONED" ? var.stream_scaling : "none"
    FIELDGATE_NEARLINE_KIND          = "dynamodb"
    FIELDGATE_NEARLINE_PREFIX        = var.prefix
    FIELDGATE_NEARLINE_REGION        = local.region
    FIELDGATE_KEYVALUE_KIND          = "dynamodb"
    FIELDGATE_KEYVALUE_PREFIX        = var.prefix
    FIELDGATE_KEYVALUE_REGION        = local.region
    FIELDGATE_OBJECTS_KIND           = "s3"
    FIELDGATE_OBJECTS_BUCKET         = aws_s3_bucket.this.bucket
    FIELDGATE_OBJECTS_REGION         = local.region
    FIELDGATE_OBJECTS_CACHE_MB       = tostring(floor(var.size.disk * 1024 * 0.6))
    FIELDGATE_DATA_DIR               = "/var/lib/fieldgate"
    FIELDGATE_PG_ADDR                = "0.0.0.0:${local.pg_port}"
    FIELDGATE_HTTP_ADDR              = "0.0.0.0:${local.http_port}"
    FIELDGATE_TLS_MODE               = "require"
  }

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
  family                   = var.prefix
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  tags                     = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  ephemeral_storage {
    size_in_gib = var.size.disk
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
    environment            = [for name, value in local.environment : { name = name, value = value }]
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
        awslogs-stream-prefix = "fieldgate"
      }
    }
  }])
}

# One process does all of the work, so a new task starts when the old one has drained. What comes in meanwhile is refused and
# sent again by the devices; nothing acknowledged depends on the task.
resource "aws_ecs_service" "this" {
  name                               = var.prefix
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this.arn
  launch_type                        = "FARGATE"
  desired_count                      = 1
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  health_check_grace_period_seconds  = 300
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
    for_each = local.doors
    content {
      target_group_arn = aws_lb_target_group.this[load_balancer.key].arn
      container_name   = "fieldgate"
      container_port   = load_balancer.value.target
    }
  }

  # A balancer's target group takes tasks only once a listener uses it.
  depends_on = [aws_lb_listener.this]
}
