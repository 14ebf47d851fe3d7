resource "aws_security_group" "balancer" {
  name_prefix = "${var.prefix}-balancer-"
  description = "Network load balancer of ${var.prefix}"
  vpc_id      = var.vpc_id
  tags        = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "devices" {
  for_each = toset(var.device_cidrs)

  security_group_id = aws_security_group.balancer.id
  description       = "Devices"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "sql_clients" {
  for_each = toset(var.client_cidrs)

  security_group_id = aws_security_group.balancer.id
  description       = "SQL clients"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
  tags              = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "rest_clients" {
  for_each = toset(var.client_cidrs)

  security_group_id = aws_security_group.balancer.id
  description       = "Clients of the schema and query API"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
  tags              = local.tags
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  for_each = toset([tostring(local.pg_port), tostring(local.http_port)])

  security_group_id            = aws_security_group.balancer.id
  description                  = "Services"
  referenced_security_group_id = aws_security_group.services.id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.value)
  to_port                      = tonumber(each.value)
  tags                         = local.tags
}

resource "aws_security_group" "services" {
  name_prefix = "${var.prefix}-services-"
  description = "Services of ${var.prefix}"
  vpc_id      = var.vpc_id
  tags        = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "services" {
  for_each = toset([tostring(local.pg_port), tostring(local.http_port)])

  security_group_id            = aws_security_group.services.id
  description                  = "Load balancer"
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.value)
  to_port                      = tonumber(each.value)
  tags                         = local.tags
}

# AWS's APIs are all that the services speak to, by HTTPS.
resource "aws_vpc_security_group_egress_rule" "services" {
  security_group_id = aws_security_group.services.id
  description       = "AWS APIs"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = local.tags
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = length(var.private_route_table_ids) > 0 ? toset(["s3", "dynamodb"]) : toset([])

  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${local.region}.${each.value}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.private_route_table_ids
  tags              = local.tags
}

resource "aws_lb" "this" {
  name                             = var.prefix
  load_balancer_type               = "network"
  internal                         = var.load_balancer_internal
  subnets                          = var.load_balancer_subnet_ids
  security_groups                  = [aws_security_group.balancer.id]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.protect
  tags                             = local.tags
}

# A server that stops drains: it refuses new statements and lets those under way end.
resource "aws_lb_target_group" "sql" {
  name                   = "${var.prefix}-sql"
  vpc_id                 = var.vpc_id
  target_type            = "ip"
  protocol               = "TCP"
  port                   = local.pg_port
  deregistration_delay   = local.drain_seconds
  connection_termination = false
  preserve_client_ip     = true
  tags                   = local.tags

  health_check {
    protocol            = "HTTPS"
    port                = local.http_port
    path                = "/healthz"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_target_group" "rest" {
  name                 = "${var.prefix}-rest"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "TCP"
  port                 = local.http_port
  deregistration_delay = local.drain_seconds
  tags                 = local.tags

  health_check {
    protocol            = "HTTPS"
    path                = "/healthz"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_target_group" "ingest" {
  name                 = "${var.prefix}-ingest"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "TLS"
  port                 = local.http_port
  deregistration_delay = local.drain_seconds
  tags                 = local.tags

  health_check {
    protocol            = "HTTPS"
    path                = "/healthz"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "sql" {
  load_balancer_arn        = aws_lb.this.arn
  port                     = 5432
  protocol                 = "TCP"
  tcp_idle_timeout_seconds = 6000
  tags                     = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.sql.arn
  }
}

resource "aws_lb_listener" "rest" {
  load_balancer_arn = aws_lb.this.arn
  port              = 8443
  protocol          = "TCP"
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.rest.arn
  }
}

resource "aws_lb_listener" "ingest" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "TLS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.ingest.arn
  }
}
