resource "aws_security_group" "balancer" {
  name_prefix = "${var.prefix}-balancer-"
  description = "Network load balancer of ${var.prefix}"
  vpc_id      = var.vpc_id
  tags        = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

# The doors of the load balancer: the port that clients see, who may come, and where it leads. TLS of the ingest door ends at
# the balancer, which speaks TLS to the server in turn; the others pass through.
locals {
  doors = {
    ingest = {
      role               = "ingest"
      description        = "Devices"
      port               = 443
      target             = local.http_port
      protocol           = "TLS"
      cidrs              = var.device_cidrs
      certificate_arn    = var.certificate_arn
      ssl_policy         = "ELBSecurityPolicy-TLS13-1-2-2021-06"
      idle_seconds       = null
      preserve_client_ip = null
    }
    sql = {
      role               = "gateway"
      description        = "SQL clients"
      port               = 5432
      target             = local.pg_port
      protocol           = "TCP"
      cidrs              = var.client_cidrs
      certificate_arn    = null
      ssl_policy         = null
      idle_seconds       = 6000
      preserve_client_ip = true
    }
    rest = {
      role               = "gateway"
      description        = "Clients of the schema and query API"
      port               = 8443
      target             = local.http_port
      protocol           = "TCP"
      cidrs              = var.client_cidrs
      certificate_arn    = null
      ssl_policy         = null
      idle_seconds       = null
      preserve_client_ip = null
    }
  }

  clients = merge([for name, door in local.doors : { for cidr in door.cidrs : "${name} ${cidr}" => { door = door, cidr = cidr } }]...)
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = local.clients

  security_group_id = aws_security_group.balancer.id
  description       = each.value.door.description
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.door.port
  to_port           = each.value.door.port
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

# A cancel request that the load balancer brings to another gateway than its session's is passed on from gateway to gateway.
resource "aws_vpc_security_group_ingress_rule" "gateways" {
  security_group_id            = aws_security_group.services.id
  description                  = "Cancel requests of other gateways"
  referenced_security_group_id = aws_security_group.services.id
  ip_protocol                  = "tcp"
  from_port                    = local.pg_port
  to_port                      = local.pg_port
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "gateways" {
  security_group_id            = aws_security_group.services.id
  description                  = "Cancel requests to other gateways"
  referenced_security_group_id = aws_security_group.services.id
  ip_protocol                  = "tcp"
  from_port                    = local.pg_port
  to_port                      = local.pg_port
  tags                         = local.tags
}

# AWS's APIs are all else that the services speak to, by HTTPS.
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

# A server that stops drains: it takes no new sessions, and lets transactions and cursors end. Until then it is unhealthy, and
# sessions that are with it stay.
resource "aws_lb_target_group" "this" {
  for_each = local.doors

  name                 = "${var.prefix}-${each.key}"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = each.value.protocol
  port                 = each.value.target
  deregistration_delay = local.drain_seconds
  preserve_client_ip   = each.value.preserve_client_ip
  tags                 = local.tags

  health_check {
    protocol            = "HTTPS"
    port                = local.http_port
    path                = "/healthz"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  target_health_state {
    enable_unhealthy_connection_termination = false
  }
}

resource "aws_lb_listener" "this" {
  for_each = local.doors

  load_balancer_arn        = aws_lb.this.arn
  port                     = each.value.port
  protocol                 = each.value.protocol
  certificate_arn          = each.value.certificate_arn
  ssl_policy               = each.value.ssl_policy
  tcp_idle_timeout_seconds = each.value.idle_seconds
  tags                     = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }
}
